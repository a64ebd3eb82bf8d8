"""What models are made of besides cells; each room has a forward and a backward by hand."""
