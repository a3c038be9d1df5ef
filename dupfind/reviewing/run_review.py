"""The story of a review: scan, go by the decisions that are kept, serve the page until somebody or nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from dupfind.errors import DupfindError, option_error, reason_of
from dupfind.events import Listener, Within
from dupfind.pipeline import scan_run
from dupfind.reviewing.acts import NOTHING, Acts, Means
from dupfind.reviewing.decisions_store import DecisionsStore
from dupfind.reviewing.jobs import Jobs
from dupfind.reviewing.review import Review
from dupfind.reviewing.server import LOOPBACK, Serving
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.session import kept_for_the_run, with_reader
from dupfind.settings import Settings
from dupfind.values import Report


def review(
    make: Callable[[], Settings],
    store: DecisionsStore,
    listener: Listener,
    *,
    port: int,
    idle_seconds: float,
    scanned_is: Callable[[Report], None],
    served_at: Callable[[str], None],
    means: Means = NOTHING,
    make_executor: MakeExecutor | None = None,
) -> bool:
    """Serve the page, and give whether every needle is present, not wanted or empty by the decisions at its end.

    ``make`` gives what to scan, and is asked again after files were changed by what ``means`` allow. ``scanned_is`` is
    told the answer before any decision, ``served_at`` the address of the page once it can be opened. Ends when the page
    says so, or nobody was there for ``idle_seconds``; a signal ends it by an exception.
    """
    with ExitStack() as stack:
        kept = stack.enter_context(kept_for_the_run(make()))
        run = Run(kept, listener, make_executor)
        scanned = scan_run(run, may_be_bare=False)
        scanned_is(scanned.report)
        acts = Acts(means, Within(listener))
        reviewed = Review(scanned, run, store, acts.offered)
        if store.decisions:
            with_reader(run, reviewed.begin)
        jobs, is_served = Jobs(reviewed.draw), False

        def work(reading: Reading) -> bool:
            nonlocal is_served
            reviewed.begin(reading)
            if not is_served:
                reviewed.page(reading)  # of 100,000 files it takes 3 s to be made: who opens it shall not wait
                served_at(stack.enter_context(_serving(reviewed, jobs, acts, port)).door.address)
                jobs.use()
                is_served = True
            return jobs.work(reading, idle_seconds)

        run.listener = Within(listener)  # from here on nobody watches the line
        while not with_reader(run, work):
            jobs.work_alone()
            if acts.has_changed:
                acts.has_changed = False
                try:
                    anew = Run(replace(make(), cache=kept.cache), Within(listener), make_executor)
                    reviewed.take_scan(scan_run(anew, may_be_bare=False), anew)
                    run = anew
                except DupfindError as error:  # all needles have gone: there is nothing to look at, but to take back
                    reviewed.show_gone(str(error))
        return reviewed.is_complete


def _serving(reviewed: Review, jobs: Jobs, acts: Acts, port: int) -> Serving:
    try:
        return Serving(reviewed, jobs, acts, port)
    except OSError as error:
        raise option_error("--port", f"{port}: {LOOPBACK} cannot be listened on: {reason_of(error)}") from error
