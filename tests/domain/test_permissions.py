"""The smallest change, what it may not lose, and what it must not do by accident."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from endpoints_app.domain.permissions import (
    CAN_MANAGE,
    CAN_QUERY,
    CAN_VIEW,
    LEVELS,
    Access,
    Change,
    Danger,
    Entry,
    Inherited,
    Method,
    Ourselves,
    Principal,
    PrincipalKind,
    Unreadable,
    change,
    counts,
    dangers,
    is_raise,
    moved,
    strongest,
)

ANN = Principal(PrincipalKind.USER, "ann@example.com")
BOB = Principal(PrincipalKind.USER, "bob@example.com")
TEAM = Principal(PrincipalKind.GROUP, "team")
ADMINS = Principal(PrincipalKind.GROUP, "admins")
DESK = Principal(PrincipalKind.SERVICE_PRINCIPAL, "2f6c3b0e-1111-4222-8333-444455556666")
US = Ourselves(DESK.name, frozenset({"team"}))


def direct(who: Principal, *levels: str) -> Entry:
    return Entry(who, levels)


def inherited(who: Principal, level: str) -> Entry:
    return Entry(who, (), (Inherited(level, ("/serving-endpoints/",)),))


# Levels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], None),
        ([CAN_VIEW], CAN_VIEW),
        ([CAN_QUERY, CAN_MANAGE, CAN_VIEW], CAN_MANAGE),
        (["CAN_DANCE"], "CAN_DANCE"),
        (["CAN_DANCE", CAN_VIEW], CAN_VIEW),
    ],
)
def test_the_strongest_level_counts_and_an_unknown_one_least(
    levels: list[str], expected: str | None
) -> None:
    assert strongest(levels) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, CAN_VIEW, True),
        (CAN_VIEW, CAN_QUERY, True),
        (CAN_QUERY, CAN_MANAGE, True),
        (CAN_QUERY, CAN_QUERY, False),
        (CAN_MANAGE, CAN_QUERY, False),
        (CAN_VIEW, None, False),
        ("CAN_DANCE", CAN_MANAGE, False),
        (CAN_VIEW, "CAN_DANCE", False),
        (None, None, False),
    ],
)
def test_only_what_surely_allows_more_is_a_raise(
    before: str | None, after: str | None, expected: bool
) -> None:
    assert is_raise(before, after) is expected


def test_the_effective_level_is_the_strongest_wherever_it_comes_from() -> None:
    entry = Entry(ANN, (CAN_QUERY,), (Inherited(CAN_MANAGE, ("/serving-endpoints/",)),))
    assert (entry.level, entry.inherited_level, entry.effective) == (
        CAN_QUERY,
        CAN_MANAGE,
        CAN_MANAGE,
    )


def test_two_entries_of_one_principal_become_one() -> None:
    access = Access.of([direct(ANN, CAN_QUERY), inherited(ANN, CAN_VIEW), direct(BOB, CAN_VIEW)])
    assert access.entries == (
        Entry(ANN, (CAN_QUERY,), (Inherited(CAN_VIEW, ("/serving-endpoints/",)),)),
        direct(BOB, CAN_VIEW),
    )


# The smallest change ----------------------------------------------------------------------------

HELD = Access.of(
    [
        direct(ANN, CAN_MANAGE),
        direct(BOB, CAN_QUERY),
        direct(TEAM, CAN_VIEW),
        inherited(ADMINS, CAN_MANAGE),
    ]
)


@pytest.mark.parametrize(
    ("wanted", "method", "grants"),
    [
        ({}, None, []),
        ({BOB: CAN_QUERY, DESK: None}, None, []),
        ({DESK: CAN_QUERY}, Method.PATCH, [(DESK, CAN_QUERY)]),
        ({BOB: CAN_MANAGE}, Method.PATCH, [(BOB, CAN_MANAGE)]),
        ({ADMINS: CAN_QUERY}, Method.PATCH, [(ADMINS, CAN_QUERY)]),
        ({BOB: CAN_VIEW}, Method.PUT, [(ANN, CAN_MANAGE), (TEAM, CAN_VIEW), (BOB, CAN_VIEW)]),
        ({BOB: None}, Method.PUT, [(ANN, CAN_MANAGE), (TEAM, CAN_VIEW)]),
        (
            {BOB: None, TEAM: CAN_QUERY, DESK: CAN_MANAGE},
            Method.PUT,
            [(ANN, CAN_MANAGE), (TEAM, CAN_QUERY), (DESK, CAN_MANAGE)],
        ),
    ],
)
def test_rising_is_patched_and_anything_else_replaces_the_whole_list(
    wanted: dict[Principal, str | None],
    method: Method | None,
    grants: list[tuple[Principal, str]],
) -> None:
    result = change(HELD, wanted)
    assert (result.method, list(result.grants)) == (method, grants)


def test_a_difference_says_what_is_kept_by_inheritance() -> None:
    access = Access.of([Entry(BOB, (CAN_QUERY,), (Inherited(CAN_VIEW),), "Bob")])
    (difference,) = change(access, {BOB: None}).differences
    assert (difference.before, difference.after, difference.keeps) == (CAN_QUERY, None, CAN_VIEW)
    assert (difference.effective_before, difference.effective_after) == (CAN_QUERY, CAN_VIEW)
    assert difference.display_name == "Bob"


def test_a_list_that_cannot_be_sent_back_whole_is_never_replaced() -> None:
    access = Access(HELD.entries, unreadable=1)
    assert change(access, {BOB: CAN_MANAGE}).method is Method.PATCH
    with pytest.raises(Unreadable):
        change(access, {BOB: None})


# Invariants -------------------------------------------------------------------------------------

principals = st.sampled_from(
    [Principal(kind, name) for kind in PrincipalKind for name in ("a", "b", "c")]
)
levels = st.sampled_from([*LEVELS, "CAN_DANCE"])
entries = st.builds(
    Entry,
    principals,
    st.lists(levels, max_size=2, unique=True).map(tuple),
    st.lists(st.builds(Inherited, levels), max_size=2).map(tuple),
)
accesses = st.lists(entries, max_size=8).map(Access.of)
wishes = st.dictionaries(principals, st.none() | st.sampled_from(LEVELS), max_size=6)

Granted = frozenset[tuple[Principal, str]]


def granted(access: Access) -> Granted:
    return frozenset((entry.principal, level) for entry in access.entries for level in entry.direct)


def sent(held: Granted, request: Change) -> Granted:
    """What a workspace makes of it: PATCH sets the listed principals, PUT replaces everything."""
    if request.method is None:
        return held
    listed = frozenset(request.grants)
    if request.method is Method.PUT:
        return listed
    named = {who for who, _ in listed}
    return frozenset(grant for grant in held if grant[0] not in named) | listed


@given(accesses, wishes)
def test_what_is_sent_brings_what_is_wanted(
    access: Access, wanted: dict[Principal, str | None]
) -> None:
    after = sent(granted(access), change(access, wanted))
    for who, level in wanted.items():
        assert strongest(held for principal, held in after if principal == who) == level


@given(accesses, wishes)
def test_a_grant_nobody_touched_is_never_lost_or_changed(
    access: Access, wanted: dict[Principal, str | None]
) -> None:
    before, after = granted(access), sent(granted(access), change(access, wanted))
    assert {g for g in before if g[0] not in wanted} == {g for g in after if g[0] not in wanted}


@given(accesses, wishes)
def test_nothing_is_sent_that_is_not_needed(
    access: Access, wanted: dict[Principal, str | None]
) -> None:
    request = change(access, wanted)
    assert [d for d in request.differences if d.before == d.after] == []
    assert {d.principal for d in request.differences} <= set(wanted)
    assert (request.method is None) == (not request.differences)
    if request.method is Method.PATCH:
        assert [who for who, _ in request.grants] == [d.principal for d in request.differences]


@given(accesses, wishes)
def test_nobody_falls_by_a_patch(access: Access, wanted: dict[Principal, str | None]) -> None:
    request = change(access, wanted)
    assume(request.method is Method.PATCH)
    assert all(difference.is_raise for difference in request.differences)


@given(accesses, wishes)
def test_sending_it_twice_changes_nothing_more(
    access: Access, wanted: dict[Principal, str | None]
) -> None:
    once = sent(granted(access), change(access, wanted))
    again = Access.of(Entry(who, (level,)) for who, level in sorted(once))
    assert change(again, wanted).method is None


@given(accesses, wishes)
def test_inherited_grants_are_never_sent_as_direct_ones(
    access: Access, wanted: dict[Principal, str | None]
) -> None:
    request = change(access, wanted)
    theirs = {(who, level) for who, level in request.grants if who not in wanted}
    assert theirs <= granted(access)


@given(accesses, wishes)
def test_the_last_direct_manager_never_goes_unnoticed(
    access: Access, wanted: dict[Principal, str | None]
) -> None:
    request = change(access, wanted)
    after = Access.of(Entry(who, (level,)) for who, level in sent(granted(access), request))
    lost = bool(access.direct_managers) and not after.direct_managers
    assert (Danger.LAST_MANAGER in dangers(access, request, US)) == lost


# What must not happen by accident ---------------------------------------------------------------

DANGEROUS = Access.of(
    [
        direct(DESK, CAN_MANAGE),
        direct(ANN, CAN_MANAGE),
        direct(TEAM, CAN_QUERY),
        inherited(ADMINS, CAN_MANAGE),
    ]
)


@pytest.mark.parametrize(
    ("wanted", "ourselves", "expected"),
    [
        ({ANN: None}, US, set()),
        ({DESK: None}, US, {Danger.OURSELVES}),
        ({DESK: CAN_QUERY}, US, {Danger.OURSELVES}),
        ({DESK: None, ANN: None}, US, {Danger.OURSELVES, Danger.LAST_MANAGER}),
        ({ANN: CAN_VIEW, DESK: CAN_VIEW}, US, {Danger.OURSELVES, Danger.LAST_MANAGER}),
        ({DESK: None, ANN: None, BOB: CAN_MANAGE}, US, {Danger.OURSELVES}),
        ({TEAM: None}, US, set()),  # our name still manages
        ({BOB: CAN_VIEW}, None, set()),  # only adds
        ({TEAM: None}, None, {Danger.OURSELVES_UNKNOWN}),
        ({}, None, set()),
    ],
)
def test_a_lock_out_is_seen_before_it_is_sent(
    wanted: dict[Principal, str | None], ourselves: Ourselves | None, expected: set[Danger]
) -> None:
    assert dangers(DANGEROUS, change(DANGEROUS, wanted), ourselves) == expected


def test_losing_the_group_through_which_we_manage_is_a_danger_too() -> None:
    access = Access.of([direct(TEAM, CAN_MANAGE), direct(ANN, CAN_MANAGE)])
    assert dangers(access, change(access, {TEAM: CAN_QUERY}), US) == {Danger.OURSELVES}


def test_losing_a_group_matters_not_while_another_one_holds_us() -> None:
    ourselves = Ourselves(DESK.name, frozenset({"team", "admins"}))
    access = Access.of([direct(TEAM, CAN_MANAGE), inherited(ADMINS, CAN_MANAGE)])
    assert dangers(access, change(access, {TEAM: None}), ourselves) == {Danger.LAST_MANAGER}


def test_our_own_name_is_ours_however_it_is_written() -> None:
    assert US.is_named_by(Principal(DESK.kind, DESK.name.upper()))
    assert not US.is_named_by(Principal(PrincipalKind.GROUP, DESK.name))


def test_an_endpoint_without_direct_managers_has_no_last_one() -> None:
    access = Access.of([direct(BOB, CAN_QUERY), inherited(ADMINS, CAN_MANAGE)])
    assert dangers(access, change(access, {BOB: None}), US) == set()


# Two people at once -----------------------------------------------------------------------------


def test_what_somebody_else_changed_is_told_one_by_one() -> None:
    seen = {ANN: CAN_MANAGE, BOB: CAN_VIEW, DESK: CAN_VIEW}
    told = [(d.principal, d.before, d.after) for d in moved(seen, HELD)]
    assert told == [
        (TEAM, None, CAN_VIEW),
        (DESK, CAN_VIEW, None),
        (BOB, CAN_VIEW, CAN_QUERY),
    ]


@given(accesses)
def test_nothing_has_moved_in_what_was_just_read(access: Access) -> None:
    assert moved(access.direct, access) == ()


def test_who_holds_a_level_in_the_end_is_counted_by_kind() -> None:
    assert counts(HELD.entries, [CAN_MANAGE]) == {PrincipalKind.USER: 1, PrincipalKind.GROUP: 1}
    assert counts(HELD.entries, [CAN_QUERY]) == {PrincipalKind.USER: 1}
    assert counts(HELD.entries, []) == {}
