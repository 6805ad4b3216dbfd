"""A page on which images and texts are explained: what `input-iba app` opens."""
