"""Release a batch job to AWS ECS, and say so only when its data is proven to be in MongoDB.

The life of one release, and the packages that it passes through:

    cli           reads the command line, calls one function of commands, prints, exits
    commands      one file a command; bootstrap.py builds the real clients, and nothing else does
    config        reads and checks deploy.toml
    lock          one release per environment at a time
    flow          the flowchart as a table, the runner that walks it, its steps and decisions
    records       the journal, written before and after each step; the evidence; the copies in S3
    ports         what steps need of the world, as Protocols
    adapters      the ports for AWS, Docker, MongoDB and this machine
    task, logs    task definitions; one-off tasks; reading a log to its last line
    verification  checks of deploy.toml as MongoDB reads, and their verdicts
    diagnosis     from the evidence of a failure to its cause and the fix
    view          events as a live view, plain lines, JSON or a page
    sandbox       AWS and MongoDB on this machine, to release to without an account

Two rules keep a release restartable. Steps converge: to run one twice has one effect. Decisions read recorded
state only: the same journal leads to the same next node.

ARCHITECTURE.md has the layers, the glossary, and how to add a step, a check kind, a signature or an adapter.
"""
