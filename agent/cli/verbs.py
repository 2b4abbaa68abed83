"""The table of all commands: their words, where the code is, and one line of help. It imports none of them.

A row whose file is not there is no command: deleting a file of commands removes its rows' commands only.
"""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

LEARN, LOOK, MEASURE = "Run and learn", "Look and edit", "Measure"


class Verb(NamedTuple):
    """One command."""

    words: str
    """What is typed after `lichen`."""
    module: str
    """Dotted name of its file; imported when the command runs or its own --help is asked."""
    function: str
    help: str
    """One line for the list of commands."""
    heading: str = ""
    """Under which heading `lichen --help` lists it; "" below the first level."""


class Noun(NamedTuple):
    """A word that has commands of its own below it."""

    words: str
    help: str
    heading: str = ""


NOUNS = (
    Noun("softcot", "Train soft thoughts of a small assistant (SoftCoT) and test them.", LEARN),
    Noun("memory", "List, explain, edit, export and forget what was learned.", LOOK),
    Noun("memory playbook", "Rules in words that a model reads before a task."),
    Noun("store", "Pack what was learned into one file, unpack it, merge it.", LOOK),
    Noun("skills", "Look at the skill library, edit it, test it, roll it back.", LOOK),
    Noun("skills jail", "See what protects skill code here, and attack it."),
    Noun("serve", "Serve the agent over HTTP: OpenAI's form, and REST.", LEARN),
    Noun("serve keys", "Make, list and take away the keys of a server."),
    Noun("envs", "List environments and suites; check them, show and verify tasks.", LOOK),
    Noun("bench", "Measure speed and durability, side by side in one run.", MEASURE),
)


def _of(module: str, *rows: tuple[str, str, str]) -> Iterator[Verb]:
    """Yield the rows of one file: (words, function, help)."""
    for words, function, said in rows:
        yield Verb(words, f"lichen.agent.{module}", function, said)


def _top(heading: str, module: str, *rows: tuple[str, str, str]) -> Iterator[Verb]:
    """Yield the rows of one file whose commands stand on the first level."""
    for verb in _of(module, *rows):
        yield verb._replace(heading=heading)


VERBS: tuple[Verb, ...] = (
    *_top(LEARN, "cli.run", ("run", "run", "Run episodes of a suite, or one task, and learn.")),
    *_top(LEARN, "cli.serve", ("serve", "serve", "Serve the agent over HTTP.")),
    *_of(
        "cli.serve",
        ("serve keys add", "add", "Make a key, and show it once."),
        ("serve keys ls", "ls", "List the keys: names, scopes, namespaces."),
        ("serve keys rm", "rm", "Take a key away."),
    ),
    *_top(LEARN, "cli.mcp", ("mcp", "mcp", "Serve memory and skills to an MCP client.")),
    *_top(LEARN, "cli.doctor", ("doctor", "doctor", "Say what works here, and what to do.")),
    *_top(LOOK, "cli.inspect", ("inspect", "inspect", "See and edit what it knows, in a browser.")),
    *_top(LOOK, "cli.models", ("models", "models", "List the models within reach; measure one.")),
    *_top(
        MEASURE,
        "lab.commands.eval_heldout",
        ("eval", "evaluate_command", "Compare arms on held-out tasks as memory grows."),
    ),
    *_top(
        MEASURE,
        "lab.commands.compare",
        ("compare", "compare_command", "Compare methods on one stream of tasks."),
    ),
    *_top(
        MEASURE,
        "lab.commands.continual",
        ("continual", "continual_command", "Learn task families in turn; measure forgetting."),
    ),
    *_of(
        "lab.commands.faithfulness",
        (
            "bench faithfulness",
            "faithfulness_command",
            "Test whether answers hang on what was given.",
        ),
    ),
    *_top(
        MEASURE,
        "lab.commands.reproduce",
        ("reproduce", "reproduce_command", "Run a table of the documentation again."),
    ),
    *_top(
        MEASURE,
        "lab.commands.certify",
        ("certify", "certify_command", "Check that a run's model stayed frozen."),
    ),
    *_of(
        "lab.commands.picture",
        ("bench picture", "picture_command", "Draw the learning curve of a report again."),
    ),
    *_of(
        "cli.envs",
        ("envs list", "list_", "List the environments, and whether each works here."),
        ("envs suites", "suites", "List the suites that ship with Lichen."),
        ("envs show", "show", "Show a task as an agent first sees it."),
        ("envs check", "check_command", "Check that an environment keeps the protocol."),
        ("envs verify", "verify_command", "Replay gold trajectories and count which win."),
    ),
    *_of(
        "cli.memory_playbook",
        ("memory playbook learn", "learn_playbook", "Search for rules; keep what helps."),
        ("memory playbook ls", "list_playbook", "List the rules of every environment."),
        ("memory playbook add", "add_to_playbook", "Add a rule of your own."),
        ("memory playbook edit", "edit_playbook", "Correct a rule."),
        ("memory playbook rm", "remove_from_playbook", "Take a rule out."),
    ),
    *_of(
        "cli.memory_overview",
        ("memory overview", "overview", "Say whether it is learning, and what harms."),
        ("memory episodes", "episodes", "List all episodes of the ledger, newest first."),
    ),
    *_of(
        "cli.memory",
        ("memory ls", "ls", "List the cases in memory, newest first."),
        ("memory show", "show", "Show one case, whole."),
        ("memory diff", "diff", "Say which episodes came and went between two moments."),
        ("memory forget", "forget_command", "Forget an episode for good."),
        ("memory export", "export", "Write the ledger, or its successes, as JSONL."),
        ("memory restore", "restore", "Bring the ledger of an export back."),
        ("memory import", "import_", "Import demonstrations from a JSONL file."),
        ("memory import-gold", "import_gold", "Import a suite's gold trajectories."),
        ("memory replay", "replay", "Fold the ledger again and print the state's hash."),
        ("memory verify", "verify", "Compare the ledger with what is stored and indexed."),
    ),
    *_of(
        "cli.store_packs",
        ("store pack", "pack", "Write ledger and skills into one file."),
        ("store unpack", "unpack", "Make a store of such a file."),
        ("store merge", "merge", "Bring what such a file knows into a store."),
    ),
    *_of(
        "cli.memory_edits",
        ("memory edit", "edit_case", "Correct a case; what was learned stays in the ledger."),
        ("memory pin", "pin_case", "Keep an episode, however full the memory is."),
        ("memory unpin", "unpin_case", "Let a full memory let it go again."),
        ("memory quarantine", "quarantine_case", "Recall nothing of an episode until release."),
        ("memory release", "release_case", "Recall it again."),
    ),
    *_of("cli.feedback", ("memory feedback", "feedback", "Say how an answer or an episode was.")),
    *_of("cli.memory_why", ("memory why", "why", "Say why the agent did what it did.")),
    *_of(
        "cli.memory_tools",
        ("memory tools", "tools", "Say what calls of tools came to."),
        ("memory doctor", "doctor", "List what used a tool whose contract has changed."),
        ("memory reverify", "reverify_command", "Replay what is quarantined."),
    ),
    *_of(
        "cli.skills",
        ("skills list", "list_", "List the skills, with what the ledger says of their use."),
        ("skills show", "show", "Show a skill: contract, code, tests, callers, calls."),
        ("skills graph", "graph", "Show who calls whom."),
        ("skills history", "history", "List the changes of a skill, or of all."),
        ("skills diff", "diff", "Show what changed between two versions."),
    ),
    *_of(
        "cli.skill_why",
        ("skills why", "why", "Say which skills a task would be offered, and why."),
    ),
    *_of(
        "cli.skill_induce",
        ("skills induce", "induce_command", "Make skills of what recurs in winning trajectories."),
    ),
    *_of(
        "cli.skill_practise",
        ("skills practise", "practise", "Practise goals and learn skills from them."),
    ),
    *_of(
        "cli.skill_edits",
        ("skills new", "new", "Write the draft of a new skill."),
        ("skills edit", "edit", "Open a skill in $EDITOR and test the edit."),
        ("skills test", "test", "Run the tests of a skill, or of all."),
        ("skills approve", "approve", "Test what waits under a name, and admit it."),
        ("skills reject", "reject", "Refuse a proposal or a draft for good."),
        ("skills rollback", "rollback", "Bring back what a skill was."),
        ("skills quarantine", "quarantine", "Take a skill and its dependents out of use."),
        ("skills retire", "retire", "Archive a skill that nobody calls."),
        ("skills pin", "pin", "Let only a person change a skill from now on."),
        ("skills import", "import_", "Take in a skill's folder."),
        ("skills export", "export", "Write a skill's folder."),
    ),
    *_of(
        "cli.skill_runs",
        ("skills try", "try_", "Run a skill against a task, and show its steps."),
        ("skills replay", "replay", "Run a past call again where it was made."),
        ("skills undo", "undo", "Take a commit of the library back."),
    ),
    *_of(
        "lab.commands.skill_evaluate",
        ("skills evaluate", "evaluate_command", "Compare practice with and without a library."),
    ),
    *_of(
        "lab.commands.skill_audit",
        ("skills audit", "audit_command", "Say what a library is worth."),
    ),
    *_of("cli.jail_doctor", ("skills jail doctor", "doctor", "Try every layer on this machine.")),
    *_of(
        "lab.commands.jail_attack",
        ("skills jail attack", "attack", "Run hostile programs in the jail."),
    ),
    *_of("cli.softcot_probe", ("softcot probe", "probe_command", "Test if a model reads vectors.")),
    *_of("cli.softcot_train", ("softcot train", "train_command", "Train a projection.")),
    *_of("cli.softcot_gate", ("softcot gate", "gate_command", "Measure where hints may be on.")),
    *_of(
        "lab.commands.softcot_eval",
        ("softcot eval", "eval_command", "Measure a projection against controls."),
    ),
    *_of(
        "lab.commands.softcot_table",
        ("softcot table", "table_command", "Compare kinds of projections over seeds."),
    ),
    *_of(
        "lab.commands.bench",
        ("bench step", "step", "Time a step of Lichen, beside LangGraph's agent."),
        ("bench choose", "choose", "Time the scoring of actions, with and without caches."),
        ("bench threads", "threads", "Time a decision beside busy neighbours, by thread policy."),
        ("bench retrieval", "retrieval", "Time reads from stores of several sizes."),
        ("bench softcot", "softcot", "Time training steps, with and without caches."),
        ("bench jail", "jail", "Time a run in the jail, cold and warm."),
        ("bench crash", "crash", "Kill a process that learns; count what is lost."),
        ("bench library", "library", "Kill processes that write the skill library."),
        ("bench concurrency", "concurrency", "Let processes write one ledger at once."),
        ("bench credit", "credit", "Recover known effects of memory items, by three rules."),
        ("bench selection", "selection", "Select items by kind of task, as effects differ."),
        ("bench drift", "drift", "Change the rules midway; see how long memory follows."),
        ("bench harm", "harm", "Show what wrong items do, with and without the gate."),
        ("bench skills", "skills", "Ask a library for skills as held-out tasks need them."),
        ("bench retention", "retention", "Add skills; count what is still mastered."),
    ),
    *_of(
        "lab.commands.bench_middleware",
        (
            "bench middleware",
            "middleware",
            "Solve tickets by LangChain's agent, with memory and without.",
        ),
    ),
    *_of(
        "lab.commands.bench_serve",
        ("bench serve", "serve", "Load the HTTP server; no acknowledged feedback is lost."),
    ),
    *_of(
        "lab.commands.bench_repair",
        ("bench repair", "repair", "Replay a model's refused calls, mended by memory."),
    ),
    *_of(
        "lab.commands.bench_pages",
        ("bench pages", "pages", "Time the inspector's pages over a large memory."),
    ),
    *_of(
        "lab.commands.bench_competence",
        ("bench competence", "competence", "Put models of known competence into Lichen."),
        ("bench candidates", "candidates", "Count where the expert's action is an option."),
        ("bench weights", "weights", "Measure what a model's word is worth beside memory's."),
    ),
)

RESUMES = frozenset(
    {
        *(
            "run",
            "eval",
            "compare",
            "memory playbook learn",
            "continual",
            "softcot train",
            "softcot table",
        ),
        *("skills induce", "skills practise", "skills evaluate", "skills audit"),
    }
)
"""Commands that go on where an interruption cut them off."""
ANEW = frozenset({"bench faithfulness", "certify"})
"""Long commands that keep nothing of an interrupted call."""


def interrupted(words: str) -> str:
    """Return what to say when a person ends a command with Ctrl-C.

    >>> interrupted("run")
    'Interrupted. What was done is kept; the same command continues.'
    >>> interrupted("memory ls")
    'Interrupted.'
    """
    if words in RESUMES:
        return "Interrupted. What was done is kept; the same command continues."
    if words in ANEW:
        return "Interrupted. Nothing was written; the same command begins anew."
    return "Interrupted."


def like(word: str) -> list[str]:
    """Return the commands below any noun that end in a word.

    >>> like("practise")
    ['skills practise']
    """
    return [v.words for v in VERBS if v.words.split()[-1] == word and there(v.module)]


@cache
def there(module: str) -> bool:
    """Return whether the file of some commands is installed; its own code does not run."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its folder is gone as well
        return False


def below(prefix: str) -> dict[str, Verb | Noun]:
    """Return the words that can follow a noun ("" for the first level), each with its row, in their order."""
    at = f"{prefix} " if prefix else ""
    verbs = [verb for verb in VERBS if verb.words.startswith(at) and there(verb.module)]
    nouns = [
        noun
        for noun in NOUNS
        if noun.words.startswith(at) and any(v.words.startswith(f"{noun.words} ") for v in verbs)
    ]
    rows: list[Verb | Noun] = [*verbs, *nouns]
    found = {row.words.removeprefix(at): row for row in rows}
    return {word: row for word, row in found.items() if " " not in word}
