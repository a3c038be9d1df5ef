"""``dupfind help`` and ``dupfind completion``: what a person asks of the command line itself."""

from __future__ import annotations

import click

from dupfind.cli.command import command

SHELLS = ("bash", "zsh", "fish")
COMPLETE = "_DUPFIND_COMPLETE"
"""The variable by which a shell asks for its completions, or a user for the script that does so."""


@command("help", short_help="The help of a command, whole.")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
def help_(words: tuple[str, ...]) -> None:
    """Show all options of a command, as COMMAND --help does."""
    context = click.get_current_context().find_root()
    for word in words:
        group = context.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{context.command_path} has no commands of its own.", context)
        name, inner, _ = group.resolve_command(context, [word])
        assert inner is not None, "resolve_command raises where there is none"
        context = click.Context(inner, info_name=name, parent=context)
    click.echo(context.get_help())


@command(short_help="The script that lets a shell complete commands.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print the script by which a shell completes the commands and options of dupfind.

    \b
      bash:  dupfind completion bash > ~/.local/share/bash-completion/completions/dupfind
      zsh:   dupfind completion zsh > ~/.zfunc/_dupfind   (a folder of fpath)
      fish:  dupfind completion fish > ~/.config/fish/completions/dupfind.fish
    """
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    made = get_completion_class(shell)
    assert made is not None, "each shell of the choice has one"
    click.echo(made(root, {}, "dupfind", COMPLETE).source())
