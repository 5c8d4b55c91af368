"""Questions of the testee protocol, made at random: how they are drawn, how two replies compare, what smaller ones there are.

`trees` reads bytes as far as they go, right or wrong; `drawing`, `definitions` and `queries` make inputs, `making` questions of
them; `comparing` says what differs, `grouping` puts together what differs alike; `reducing` makes a question smaller, by way of
`typed`, `values`, `modules` and `texts`; `explaining` shows it. Nothing here asks a testee.
"""

from __future__ import annotations
