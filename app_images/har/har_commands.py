"""The commands of the application `har`; application.yaml describes their parameters."""

from __future__ import annotations

from qcrbox_har import commands, xcw_command

form_factors = commands.form_factors
refine_har = commands.refine_har
plan_har = commands.plan_har
xcw = xcw_command.xcw
