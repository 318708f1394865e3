"""The columns that `engine.identity.scope` needs to say who sees which task."""

from __future__ import annotations

from engine.identity.scope import TaskColumns
from tasks.field.model import Crew
from tasks.model import Task

TASK_COLUMNS = TaskColumns(
    assignee_id=Task.assignee_id,
    crew_id=Task.crew_id,
    area=Task.area,
    role=Task.role,
    business_key=Task.business_key,
    crew_table_id=Crew.id,
    crew_employer=Crew.employer,
)
