"""Broken and hostile files: each reader takes or refuses them, quickly and in little memory."""
