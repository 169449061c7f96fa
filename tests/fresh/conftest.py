"""The stores of `kinds`, and the one service of AWS that they share."""

from tests.backends.aws.conftest import program, service  # noqa: F401  # fixtures
from tests.fresh.kinds import bundles, entries, gpg, managed, parameters, passes  # noqa: F401  # fixtures
