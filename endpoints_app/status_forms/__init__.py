"""What people enter for the status page, a module per form."""
