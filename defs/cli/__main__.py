"""`python -m defs.cli` is the `bsatn` command."""

import sys

from defs.cli import main

sys.exit(main())
