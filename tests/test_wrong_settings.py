"""Wrong values in the environment and in arguments of the app end with one sentence, not with a traceback."""

import pytest
from forked import ROOT, run

pytestmark = pytest.mark.slow

WRONG = {
    "GRADIO_SERVER_PORT": [("abc", "is not a port"), ("99999", "is not a port"), ("-1", "is not a port")],
    "DEFTX_HOME": [("/dev/null", "DEFTX_HOME"), ("/proc/x", "DEFTX_HOME"), ("~nosuchuser/x", "names no user")],
    "DEFTX_AUTH": [("{folder}", "cannot be read"), ("{binary}", "Line 1"), ("~nosuchuser/x", "names no user"), ("/no/file", "cannot be read")],
    "DEFTX_BASE": [("~nosuchuser/x", "names no user"), ("nosuchbase", "is not known"), ("{folder}", "contains no base")],
    "DEFTX_UPLOAD_MB": [("many", "write a number")],
    "DEFTX_PROXIES": [("10.0.0.0/8/9", "is not an address")],
}  # fmt: skip


@pytest.mark.parametrize(("variable", "value", "said"), [(name, *one) for name, ones in WRONG.items() for one in ones])
def test_a_wrong_value_is_said(tmp_path, variable, value, said):
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 10)
    value = value.format(folder=tmp_path, binary=tmp_path / "binary")
    done = run("import app; app.main()", **{"DEFTX_HOME": str(tmp_path / "home"), variable: value})
    assert done.returncode not in (0, None)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_gradio_itself_would_read_is_said(tmp_path):
    done = run(ROOT / "app.py", fresh=True, DEFTX_HOME=str(tmp_path), GRADIO_SERVER_PORT="abc")
    assert done.returncode == 2
    assert "'abc' is not a port" in done.stderr
    assert "Traceback" not in done.stderr
