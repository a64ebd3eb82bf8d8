"""The notes as a site: configuration and build."""
