"""`m3w serve`."""

import contextlib
import importlib
import socket
from pathlib import Path

import click

from openm3w.errors import InputError, MissingError
from openm3w.shards.commands.options import manifest_argument
from openm3w.shards.manifest import Manifest
from openm3w.shards.search.questions import Searcher
from openm3w.shards.serve.security import LOOPBACK
from openm3w.shards.terminal import clean_line, counted, tell

PORT = 8642
"""Where nothing well known listens; another one where it is taken."""

_SEARCHER = "openm3w.pipeline.searching.serving", "open_searcher"
"""What answers by meaning: it has the models, which shards know nothing of."""

_SHUTDOWN_SECONDS = 2


@click.command()
@manifest_argument
@click.option("--compare", metavar="MANIFEST", help="Another run, to stand beside this one.")
@click.option(
    "--dropped",
    metavar="FOLDER",
    help="The sample of dropped documents.  [default: found beside the build]",
)
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    help="What `m3w index` wrote: search by meaning and by picture.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Another address lets other machines in.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"0: any free one.  [default: {PORT}, or any free one]",
)
def serve(
    where: str,
    compare: str | None,
    dropped: str | None,
    index: Path | None,
    host: str,
    port: int | None,
) -> None:
    """Shows MANIFEST in a browser, on this machine alone.

    MANIFEST is a manifest.json, the folder of one, a mixture, or a tar that has none. The address
    that is printed holds a token, without which nothing is shown; it is another at each start.
    Nothing is loaded from elsewhere, and nothing can be changed. Ctrl-C ends it.

    \b
    m3w serve out
    m3w serve mix.json --port 9000
    m3w serve out --compare out-large          two runs side by side
    m3w serve out --index out.index            search by meaning
    ssh -L 8642:127.0.0.1:8642 HOST            then open the address here
    """
    import uvicorn

    from openm3w.shards.serve.app import create_app
    from openm3w.shards.serve.opening import Opened
    from openm3w.shards.serve.security import Access, new_token
    from openm3w.shards.serve.site import Site, open_site

    def open_() -> Site:
        site = open_site(where, compare=compare, dropped=dropped)
        if index is None:
            return site
        return site.with_searcher(open_searcher(index, site.kept.manifests))

    opened = Opened(open_, *(Path(each) for each in (where, compare) if each))
    with contextlib.closing(opened), listen(host, port) as listening:
        bound = listening.getsockname()[1]
        access = Access(token=new_token(), host=host, cookie=f"openm3w-{bound}")
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(opened, access),
                access_log=False,
                log_config=None,
                lifespan="off",
                ws="none",
                proxy_headers=False,  # nobody stands between
                server_header=False,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )
        kept = opened().kept
        num_images = sum(m.images for m in kept.manifests)
        pictures = f", {counted(num_images, 'picture')}" if num_images else ""
        click.echo(f"{clean_line(kept.title)}: {counted(len(kept.catalog), 'document')}{pictures}")
        click.echo(f"open {url(host, bound, access.token)}")
        if host not in LOOPBACK:
            tell(
                f"WARNING: other machines can reach this server at {host}. Whoever has the address "
                "above reads everything, and it travels unencrypted; "
                f"`ssh -L {bound}:127.0.0.1:{bound} HOST` needs no --host"
            )
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            server.run(sockets=[listening])


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens; on PORT, or where that is taken and none was asked for, a free one.

    Raises:
        InputError: the address is none of this machine, or the port is taken.
    """
    for choice in (PORT, 0) if port is None else (port,):
        try:
            family, _, _, _, address = socket.getaddrinfo(host, choice, type=socket.SOCK_STREAM)[0]
            return socket.create_server(address, family=family)
        except OSError as error:
            failed = error
    raise InputError(
        f"--host {clean_line(host)} --port {port}: {failed.strerror}; choose another, or leave "
        "--port away"
    ) from failed


def url(host: str, port: int, token: str) -> str:
    """The address to open; of a server on all addresses the one of this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}/?token={token}"


def open_searcher(index: Path, manifests: tuple[Manifest, ...]) -> Searcher:
    """What answers by meaning from a folder that `m3w index` wrote.

    Raises:
        MissingError: its packages are not installed.
        InputError: there is no index in the folder, or it is of other data.
    """
    module, name = _SEARCHER
    try:
        opened: Searcher = getattr(importlib.import_module(module), name)(index, manifests)
    except ModuleNotFoundError as error:
        raise MissingError(
            f"--index needs {error.name}; install it with: pip install 'openm3w[search,score]'"
        ) from error
    return opened
