"""The code behind every node of the flow."""

from typing import Final

from deployer.flow import decisions, repairs
from deployer.flow.handlers import Handlers
from deployer.flow.recorder import record_stop
from deployer.flow.revision import withdraw
from deployer.flow.steps import build, deploy, local, monitor, validation

HANDLERS: Final = Handlers(
    steps={
        "RUN_TESTS": local.run_tests,
        "DOCKER_COMPOSE": local.test_with_compose,
        "BUILD_PHASE": build.prepare_image,
        "DOCKER_BUILD": build.build_image,
        "ECR_LOGIN": build.log_in,
        "DOCKER_TAG": build.tag_image,
        "DOCKER_PUSH": build.push_image,
        "DEPLOY_PHASE": deploy.compare_definition,
        "REGISTER_TASK": deploy.register_definition,
        "RUN_TASK": deploy.run_task,
        "MONITOR": monitor.follow_task,
        "ANALYZE_LOGS": monitor.analyse_evidence,
        "BACK_OFF": monitor.back_off,
        "VERIFY_DATA": validation.verify_data,
        "PROMOTE": validation.promote_image,
    },
    decisions={
        "TEST_LOCAL": decisions.tests_passed,
        "LOCAL_OK": decisions.local_pipeline_works,
        "BUILD_OK": decisions.image_built,
        "PUSH_OK": decisions.image_pushed,
        "UPDATE_TASK": decisions.task_definition_changed,
        "TASK_STARTED": decisions.task_started,
        "PIPELINE_OK": decisions.pipeline_ended_well,
        "ERROR_TYPE": decisions.error_type,
        "DATA_OK": decisions.data_proven,
    },
    repairs={
        "CODE": repairs.look_at_code,
        "FIX_DOCKERFILE": repairs.look_at_build,
        "CHECK_CONFIG": repairs.check_config,
        "CHECK_ATLAS": repairs.check_mongodb,
        "CHECK_DATA": repairs.check_data,
    },
    record_stop=record_stop,
    withdraw=withdraw,
)
