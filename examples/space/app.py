"""The page of `input-iba app`, where everybody can reach it."""

import os

from input_iba.app.options import AppOptions
from input_iba.app.server import serve

serve(AppOptions(host="0.0.0.0", port=int(os.environ.get("PORT", "7860"))))
