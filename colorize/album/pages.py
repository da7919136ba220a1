"""The pages of one file through a colorizer, one after another, so that one of them is in memory."""

from collections.abc import Callable

from colorize.album.coloring import color
from colorize.album.output import Made, write_page_pictures
from colorize.album.plan import Job
from colorize.album.settings import Settings
from colorize.album.stop import StoppedError
from colorize.color.tone import is_colored
from colorize.images import Header, Photograph, read_header, read_photograph
from colorize.inference.colorizer import Colorizer


def make_pages(
    job: Job, count: int, colorizer: Colorizer, settings: Settings, wait_for_room: Callable[[Header], bool]
) -> bool:
    """Read, colour and write the pages of a job's file.

    Args:
        job: its file has several pages.
        count: so many.
        colorizer: gives the colours.
        settings: how.
        wait_for_room: called with the header of each page before it is read; False ends it.

    Returns:
        Whether all pages were in colour already, as `settings.keep_color` asks, and the file was copied.

    Raises:
        StoppedError: `wait_for_room` said so; nothing was written.
        ImageError, DiskFullError, OSError: a page cannot be read or written; nothing was written.
    """

    def make(number: int) -> tuple[Photograph, Made]:
        if not wait_for_room(read_header(job.file, number)):
            raise StoppedError
        photograph = read_photograph(job.file, settings.max_megapixels, number)
        return photograph, _color(photograph, colorizer, settings)

    return write_page_pictures(job, count, map(make, range(count)), settings)


def _color(photograph: Photograph, colorizer: Colorizer, settings: Settings) -> Made:
    if colorizer.at_full_size:
        return colorizer.render(photograph.pixels)
    small = colorizer.shrink(photograph.pixels)
    if settings.keep_color and is_colored(small):
        return None
    return color(colorizer, [(photograph, small)], settings)[0]
