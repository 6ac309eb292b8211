#!/usr/bin/env bash
# The release as its flowchart has it done by hand: the same commands, one after another.
#
#   ECR_URI          registry/repository, as `docker tag` wants it
#   TASK_DEFINITION  the JSON file for register-task-definition
#   CLUSTER, SUBNET, SECURITY_GROUP, LOG_GROUP, CONTAINER, AWS_REGION, and AWS_ENDPOINT_URL for the sandbox
#   PYTHON_IMAGE     the base image
#   MONGO_URI        for the check of the data
#
# Prints when it saw the task stopped, and its exit code. What a person does besides costs it nothing.
set -euo pipefail

DOCKER_CONFIG=$(mktemp -d) # `docker login` writes the registry's password into a file
export DOCKER_CONFIG
trap 'rm -rf "$DOCKER_CONFIG"' EXIT
export AWS_PAGER=

# BUILD & PUSH ===
docker build --quiet --platform linux/amd64 --build-arg PYTHON_IMAGE="$PYTHON_IMAGE" -t by-hand . >/dev/null
docker tag by-hand:latest "$ECR_URI:latest"
aws ecr get-login-password --region "$AWS_REGION" |
    docker login --username AWS --password-stdin "${ECR_URI%%/*}" >/dev/null 2>&1
docker push --quiet "$ECR_URI:latest" >/dev/null

# DEPLOY
definition=$(aws ecs register-task-definition --cli-input-json "file://$TASK_DEFINITION" \
    --region "$AWS_REGION" --query taskDefinition.taskDefinitionArn --output text)
task=$(aws ecs run-task \
    --cluster "$CLUSTER" \
    --task-definition "$definition" \
    --launch-type FARGATE \
    --network-configuration "awsvpcConfiguration={subnets=[$SUBNET],securityGroups=[$SECURITY_GROUP],assignPublicIp=ENABLED}" \
    --region "$AWS_REGION" --query 'tasks[0].taskArn' --output text)

# MONITOR
# `aws logs tail --follow` has no end of its own, and version 1 of the CLI has no `logs tail` at all: so the
# CLI's own way to wait, which looks every six seconds, and then the one call that reads a stream.
aws ecs wait tasks-stopped --cluster "$CLUSTER" --tasks "$task" --region "$AWS_REGION"
echo "seen at $EPOCHREALTIME"
aws logs get-log-events --log-group-name "$LOG_GROUP" --log-stream-name "ecs/$CONTAINER/${task##*/}" \
    --start-from-head --region "$AWS_REGION" --query 'events[].message' --output text >/dev/null
aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --region "$AWS_REGION" \
    --query 'tasks[0].containers[].exitCode' --output text

# VALIDATION
python -m pipeline.reporting.check_quality >/dev/null
