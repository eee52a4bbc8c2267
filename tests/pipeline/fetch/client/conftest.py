"""What tests of requests share."""

import pytest
from hostile import Certificates, make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))
