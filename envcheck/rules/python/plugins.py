"""Could every plugin be used?"""

from __future__ import annotations

from envcheck.facts import Plugin
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question


class PluginBroken(Rule):
    """A plugin that is installed beside envcheck cannot be used, so what it would say is missing.

    What it looks at
        Every entry point of the groups envcheck.rules, collectors, renderers and engines: can it be imported, is it
        what its group asks for, and did its collector answer.
    Why it matters
        Its rules were not asked: a clean page says nothing about what they look at.
    How to mend it
        Repair or upgrade the plugin's distribution, or uninstall it.
    Cannot tell when
        Never: envcheck loads the plugins itself.
    References
        Python packaging, entry points specification.
    """

    code, name, rung = "PYE160", "plugin-broken", "python"
    severity = "warning"
    of_machine = False

    @staticmethod
    def mend(case: Case) -> Fix:
        note = "repair, upgrade or uninstall the distribution that the evidence names, where envcheck is installed"
        return Fix(title="Repair the plugin", steps=[Step(where="host", note=note)])


@question("host", PluginBroken)
def could_every_plugin_be_used(case: Case) -> Problem | None:
    """What became of each plugin, as it was loaded."""
    plugins = case.present("/plugins", dict)
    broken = []
    for key, plugin in sorted(plugins.items()):
        assert isinstance(plugin, Plugin)
        at = f"/plugins/{key}"
        why = case.known(f"{at}/problem", str)
        if why is not None:
            broken.append((plugin, why, f"{at}/problem"))
            continue
        facts = plugin.facts
        silent = getattr(facts, "why", "not_asked")
        if silent != "not_asked":
            broken.append((plugin, str(facts), f"{at}/facts"))
    if not plugins:
        raise NotApplicable("no plugin is installed")
    if not broken:
        return None
    plugin, why, _ = broken[0]
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return case.problem(
        PluginBroken,
        f"the plugin {plugin.name} ({plugin.group}, of {plugin.distribution}) cannot be used: {why}{more}",
        cause="what it brings was left out",
        evidence=[pointer for _, _, pointer in broken],
        fix=PluginBroken.mend(case),
    )
