"""The release flowchart, one line an edge.

`deployer flow`, the live view, the report and the docs are all drawn from this table.
Without the lines under ADDED the 36 edges of the release guide are left.
"""

from typing import Final

from deployer.flow.chart import Edge, Flowchart, Kind, Node

PHASES: Final = {
    "TEST": "1 · Local development",
    "BUILD": "2 · Build & push",
    "DEPLOY": "3 · Deploy to AWS",
    "MONITORING": "4 · Monitoring",
    "VALIDATION": "5 · Validation",
}

# fmt: off
_NODES: Final[tuple[tuple[str, Kind, str, str], ...]] = (
    ("START",          "start",    "TEST",       "Start"),
    ("CODE",           "repair",   "TEST",       "Code to release"),
    ("RUN_TESTS",      "step",     "TEST",       "Run the local tests"),
    ("TEST_LOCAL",     "decision", "TEST",       "Local tests pass?"),
    ("DOCKER_COMPOSE", "step",     "TEST",       "Compose test"),
    ("LOCAL_OK",       "decision", "TEST",       "Local pipeline works?"),
    ("BUILD_PHASE",    "step",     "BUILD",      "Prepare the image"),
    ("DOCKER_BUILD",   "step",     "BUILD",      "Build the image"),
    ("BUILD_OK",       "decision", "BUILD",      "Image built?"),
    ("FIX_DOCKERFILE", "repair",   "BUILD",      "Fix Dockerfile or dependencies"),
    ("ECR_LOGIN",      "step",     "BUILD",      "Log in to the registry"),
    ("DOCKER_TAG",     "step",     "BUILD",      "Tag the image"),
    ("DOCKER_PUSH",    "step",     "BUILD",      "Push the image"),
    ("PUSH_OK",        "decision", "BUILD",      "Image pushed?"),
    ("DEPLOY_PHASE",   "step",     "DEPLOY",     "Compare the task definition"),
    ("UPDATE_TASK",    "decision", "DEPLOY",     "Task definition changed?"),
    ("REGISTER_TASK",  "step",     "DEPLOY",     "Register the task definition"),
    ("RUN_TASK",       "step",     "DEPLOY",     "Run the task"),
    ("TASK_STARTED",   "decision", "DEPLOY",     "Task started?"),
    ("CHECK_CONFIG",   "repair",   "DEPLOY",     "Check the AWS configuration"),
    ("MONITOR",        "step",     "MONITORING", "Follow the logs"),
    ("PIPELINE_OK",    "decision", "MONITORING", "Pipeline ended well?"),
    ("ANALYZE_LOGS",   "step",     "MONITORING", "Analyze the evidence"),
    ("ERROR_TYPE",     "decision", "MONITORING", "Kind of error?"),
    ("CHECK_ATLAS",    "repair",   "MONITORING", "Check MongoDB"),
    ("BACK_OFF",       "step",     "MONITORING", "Wait before the next try"),
    ("VERIFY_DATA",    "step",     "VALIDATION", "Verify the documents"),
    ("DATA_OK",        "decision", "VALIDATION", "Data proven?"),
    ("CHECK_DATA",     "repair",   "VALIDATION", "Check the source data"),
    ("PROMOTE",        "step",     "VALIDATION", "Move 'latest' to this image"),
    ("END_SUCCESS",    "end",      "VALIDATION", "Released"),
    ("END_FAILED",     "end",      "VALIDATION", "Failed"),
)
_ADDED_NODES: Final = {"RUN_TESTS", "BACK_OFF", "CHECK_DATA", "PROMOTE", "END_FAILED"}

_EDGES: Final = (
    ("START",          "CODE",           ""),
    ("CODE",           "RUN_TESTS",      ""),
    ("RUN_TESTS",      "TEST_LOCAL",     ""),
    ("TEST_LOCAL",     "CODE",           "no"),
    ("TEST_LOCAL",     "DOCKER_COMPOSE", "yes"),
    ("DOCKER_COMPOSE", "LOCAL_OK",       ""),
    ("LOCAL_OK",       "CODE",           "no"),
    ("LOCAL_OK",       "BUILD_PHASE",    "yes"),
    ("BUILD_PHASE",    "DOCKER_BUILD",   ""),
    ("DOCKER_BUILD",   "BUILD_OK",       ""),
    ("BUILD_OK",       "FIX_DOCKERFILE", "no"),
    ("FIX_DOCKERFILE", "DOCKER_BUILD",   ""),
    ("BUILD_OK",       "ECR_LOGIN",      "yes"),
    ("ECR_LOGIN",      "DOCKER_TAG",     ""),
    ("DOCKER_TAG",     "DOCKER_PUSH",    ""),
    ("DOCKER_PUSH",    "PUSH_OK",        ""),
    ("PUSH_OK",        "ECR_LOGIN",      "no"),
    ("PUSH_OK",        "DEPLOY_PHASE",   "yes"),
    ("DEPLOY_PHASE",   "UPDATE_TASK",    ""),
    ("UPDATE_TASK",    "REGISTER_TASK",  "yes"),
    ("UPDATE_TASK",    "RUN_TASK",       "no"),
    ("REGISTER_TASK",  "RUN_TASK",       ""),
    ("RUN_TASK",       "TASK_STARTED",   ""),
    ("TASK_STARTED",   "CHECK_CONFIG",   "no"),
    ("CHECK_CONFIG",   "RUN_TASK",       ""),
    ("TASK_STARTED",   "MONITOR",        "yes"),
    ("MONITOR",        "PIPELINE_OK",    ""),
    ("PIPELINE_OK",    "ANALYZE_LOGS",   "no"),
    ("ANALYZE_LOGS",   "ERROR_TYPE",     ""),
    ("ERROR_TYPE",     "CODE",           "code"),
    ("ERROR_TYPE",     "CHECK_CONFIG",   "aws-config"),
    ("ERROR_TYPE",     "CHECK_ATLAS",    "mongodb"),
    ("CHECK_ATLAS",    "RUN_TASK",       ""),
    ("PIPELINE_OK",    "VERIFY_DATA",    "yes"),
    ("VERIFY_DATA",    "DATA_OK",        ""),
    ("DATA_OK",        "ANALYZE_LOGS",   "no"),
    ("DATA_OK",        "PROMOTE",        "yes"),
    ("PROMOTE",        "END_SUCCESS",    ""),
)
# Not in the release guide: how a loop that does not converge ends, and the causes that it does not name.
_ADDED_EDGES: Final = (
    ("TEST_LOCAL",     "END_FAILED",     "exhausted"),
    ("LOCAL_OK",       "END_FAILED",     "exhausted"),
    ("BUILD_OK",       "END_FAILED",     "exhausted"),
    ("PUSH_OK",        "END_FAILED",     "exhausted"),
    ("TASK_STARTED",   "END_FAILED",     "exhausted"),
    ("ERROR_TYPE",     "END_FAILED",     "exhausted"),
    ("TASK_STARTED",   "BACK_OFF",       "transient"),
    ("ERROR_TYPE",     "BACK_OFF",       "transient"),
    ("BACK_OFF",       "RUN_TASK",       ""),
    ("ERROR_TYPE",     "CHECK_DATA",     "data"),
    ("CHECK_DATA",     "RUN_TASK",       ""),
    ("ERROR_TYPE",     "END_FAILED",     "unknown"),
    ("CODE",           "CHECK_CONFIG",   "aws-config"),
    ("CHECK_CONFIG",   "DEPLOY_PHASE",   "definition-changed"),
    ("CHECK_CONFIG",   "CODE",           "build"),
    ("CHECK_ATLAS",    "CODE",           "build"),
    ("CHECK_DATA",     "CODE",           "build"),
    ("CHECK_DATA",     "VERIFY_DATA",    "verify"),
)
# fmt: on


def _flow() -> Flowchart:
    nodes = (Node(*row, added=row[0] in _ADDED_NODES) for row in _NODES)
    edges = [Edge(*row) for row in _EDGES] + [Edge(*row, added=True) for row in _ADDED_EDGES]
    return Flowchart({node.id: node for node in nodes}, tuple(edges), PHASES)


FLOW: Final = _flow()
