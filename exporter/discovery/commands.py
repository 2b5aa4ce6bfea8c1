"""Every component's command lines on this node, from processes down to the distribution's defaults."""

from collections.abc import Iterator, Sequence

from exporter.discovery.command import Command
from exporter.discovery.components import COMPONENTS, CONTROL_PLANE
from exporter.discovery.distributions import Layout
from exporter.discovery.flags import expand, parse_flags, unquoted
from exporter.discovery.node_files import Documents
from exporter.discovery.processes import Counted
from exporter.discovery.units import environment_file, is_enabled, program, service
from exporter.model import Origin

_LINES_LIMIT = 1_000


def kubelet_commands(documents: Documents, layout: Layout, counted: Counted) -> tuple[Command, ...]:
    """What the kubelet is started with, the strongest first; each flag counts where it first appears."""
    running = tuple(command for command in counted.commands if command.component == "kubelet")
    if running:
        return running[:1]
    started = service(documents, layout.unit) if layout.unit else None
    if started is not None and program(started.words) == "kubelet":
        flags = parse_flags(started.words[1:])
        return (Command(component="kubelet", flags=flags, origin=Origin.UNIT, is_trusted=started.is_trusted),)
    if (command := _argument_file(documents, layout, "kubelet")) is not None:
        return (command,)
    return _default_kubelet(documents, layout) if "kubelet" in _left_enabled(documents, layout) else ()


def _default_kubelet(documents: Documents, layout: Layout) -> tuple[Command, ...]:
    environment: dict[str, str] = {}
    is_trusted = True
    for path in layout.environment_files:
        environment |= environment_file(documents, path)
        is_trusted = is_trusted and documents.is_trusted(path)
    words = [word for values in environment.values() for word in unquoted(values)]
    arguments = " ".join(
        default.arguments
        for default in layout.commands
        if default.component == "kubelet" and (not default.where or documents.exists(default.where))
    )
    if not arguments:
        return ()
    return (
        Command(component="kubelet", flags=parse_flags(words), origin=Origin.UNIT, is_trusted=is_trusted),
        Command(
            component="kubelet",
            flags=parse_flags(arguments.split()),
            origin=Origin.CONVENTION,
            is_complete=False,
        ),
    )


def services(documents: Documents, layout: Layout) -> Iterator[Command]:
    """Yield the commands of components that systemd starts at boot.

    So Kubespray runs etcd, and so do clusters that people set up by hand; etcd often has its settings in an
    environment file alone, and of a running process the environment cannot be read.
    """
    for component in sorted(COMPONENTS) if layout.unit else ():
        name = f"{component}.service"
        if component == "kubelet" or not is_enabled(documents, name):
            continue
        started = service(documents, name)
        if started is not None and program(started.words) == component:
            yield Command(
                component=component,
                flags=parse_flags(started.words[1:]),
                origin=Origin.UNIT,
                document=started.unit,
                environment=started.environment,
                is_trusted=started.is_trusted,
            )


def argument_files(documents: Documents, layout: Layout, disabled: frozenset[str]) -> Iterator[Command]:
    """Yield the commands of the components whose flags stand in files of their own (MicroK8s)."""
    for component in layout.argument_files:
        if component not in disabled and component != "kubelet":
            command = _argument_file(documents, layout, component)
            if command is not None:
                yield command


def _argument_file(documents: Documents, layout: Layout, component: str) -> Command | None:
    path = layout.argument_files.get(component)
    content = None if path is None else documents.text(path)
    if path is None or content is None:
        return None
    lines = content.decode(errors="replace").splitlines()[:_LINES_LIMIT]
    words = [
        word
        for line in lines
        if not line.lstrip().startswith("#")
        for word in unquoted(expand(line, layout.variables))
    ]
    return Command(
        component=component,
        flags=parse_flags(words),
        origin=Origin.ARGS_FILE,
        document=path,
        is_trusted=documents.is_trusted(path),
    )


def disabled_components(documents: Documents, layout: Layout) -> frozenset[str]:
    """The components that a marker of the distribution keeps from running."""
    return frozenset(
        component
        for path, components in layout.disabled_by
        if documents.exists(path)
        for component in components
    )


def enabled_components(
    documents: Documents, layout: Layout, counted: Counted, commands: Sequence[Command]
) -> frozenset[str]:
    """The components that run here: by a command line, or by what the distribution left on the disk."""
    enabled = {command.component for command in commands} | _left_enabled(documents, layout)
    enabled -= disabled_components(documents, layout)
    if _is_agent(layout, counted):
        enabled -= {*CONTROL_PLANE, "cloud-controller-manager", "konnectivity-server"}
    return frozenset(enabled)


def _left_enabled(documents: Documents, layout: Layout) -> set[str]:
    """The components that what the distribution left on the disk shows to run here."""
    enabled = {*layout.enabled}
    for path, components in layout.enabled_by:
        if documents.exists(path):
            enabled |= {*components}
    return enabled


def _is_agent(layout: Layout, counted: Counted) -> bool:
    """The distribution's own program runs, and as one that starts no control plane."""
    running = [program for name, program in counted.programs.items() if name in layout.programs]
    return bool(running) and all(layout.agent_words & {*program.arguments[:1]} for program in running)


def default_commands(
    documents: Documents, layout: Layout, enabled: frozenset[str], known: frozenset[str]
) -> Iterator[Command]:
    """Yield the distribution's own command lines for what runs here without one that can be seen."""
    for default in layout.commands:
        component = default.component
        if component == "kubelet" or component in known or component not in enabled:
            continue
        if (default.needs and default.needs not in enabled) or (
            default.where and not documents.exists(default.where)
        ):
            continue
        yield Command(
            component=component,
            flags=parse_flags(default.arguments.split()),
            origin=Origin.CONVENTION,
            is_complete=False,
        )
