# Every target sets itself up: python3, make and git are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-all check bench format clean

run: $(VENV)/run  ## the dashboard on this machine, with an emulated workspace unless one is configured
	@exec $(BIN)/python -m dashboard.run
