"""What may be asked for, a module per panel."""
