"""What Gradio leaves of uploads: parts of those that end before they are whole, and empty files beside the whole ones."""

import asyncio

import gradio as gr
import pytest
from gradio.data_classes import FileData
from gradio.route_utils import FileUploadProgress, FileUploadProgressNotTrackedError, GradioMultiPartParser
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from ui.access.cut_uploads import discard_cut_uploads, make_no_empty_files

FORM = Headers({"content-type": "multipart/form-data; boundary=x"})
FIRST = b'--x\r\nContent-Disposition: form-data; name="files"; filename="one.txt"\r\n\r\nhalf of it'
SECOND = b'\r\n--x\r\nContent-Disposition: form-data; name="files"; filename="two.txt"\r\n\r\nall of it'


def parse(folder, parts, end, progress=None):
    """Parse an upload that ends with an exception, if one is given."""

    async def stream():
        for part in parts:
            yield part
        if end is not None:
            raise end

    for _ in range(2):  # a second call changes nothing
        discard_cut_uploads()
    parser = GradioMultiPartParser(
        FORM, stream(), upload_dir=folder, max_file_size=10**6, upload_id="u1", upload_progress=progress
    )
    return asyncio.run(parser.parse())


@pytest.mark.parametrize("end", [ClientDisconnect(), OSError("No space left on device"), asyncio.CancelledError()])
def test_an_upload_that_is_cut_off_leaves_no_file_and_is_no_longer_reported(tmp_path, end):
    progress = FileUploadProgress()
    with pytest.raises(type(end)):
        parse(tmp_path, [FIRST, SECOND], end, progress)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileUploadProgressNotTrackedError):
        progress.is_done("u1")


def test_a_whole_upload_is_kept(tmp_path):
    progress = FileUploadProgress()
    form = parse(tmp_path, [FIRST, SECOND, b"\r\n--x--\r\n"], None, progress)
    assert [file.file.read() for file in form.getlist("files")] == [b"half of it", b"all of it"]
    assert len(list(tmp_path.iterdir())) == 2
    assert progress.is_done("u1")


@pytest.mark.parametrize("make", [gr.File, gr.UploadButton, gr.DownloadButton])
def test_a_file_that_a_handler_gets_has_no_empty_file_beside_it(make, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    text = tmp_path / "one.txt"
    text.write_text("a line")
    make_no_empty_files()
    assert make().preprocess(FileData(path=str(text))) == str(text)
    assert list(tmp_path.iterdir()) == [text]
