"""Time against size: exponents, where they change, and from which size on more threads help."""
