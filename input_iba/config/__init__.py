"""From a config file to checked settings and built objects."""
