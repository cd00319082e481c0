"""The services of a running registry, for the REST interface."""

from __future__ import annotations

from dataclasses import dataclass

from qcrbox_registry.services.agent_files import AgentFileService
from qcrbox_registry.services.applications import ApplicationService
from qcrbox_registry.services.audit_trail import AuditService
from qcrbox_registry.services.calculations import CalculationService
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.data_files import DataFileService
from qcrbox_registry.services.datasets import DatasetService
from qcrbox_registry.services.displays import DisplayService
from qcrbox_registry.services.ended import EndedService
from qcrbox_registry.services.event_feed import EventFeed
from qcrbox_registry.services.examples import Examples
from qcrbox_registry.services.figures import FigureService
from qcrbox_registry.services.housekeeping import Housekeeping
from qcrbox_registry.services.launchers import LauncherService
from qcrbox_registry.services.lineage import LineageService
from qcrbox_registry.services.orphaned_data import OrphanedDataService
from qcrbox_registry.services.projects import ProjectService
from qcrbox_registry.services.readiness import ReadinessService
from qcrbox_registry.services.resumable_uploads import ResumableUploadService
from qcrbox_registry.services.retention import RetentionService
from qcrbox_registry.services.sessions import SessionService
from qcrbox_registry.services.shares import ShareService
from qcrbox_registry.services.site import SiteService
from qcrbox_registry.services.submission import SubmissionService
from qcrbox_registry.services.teaching.board import BoardService
from qcrbox_registry.services.teaching.bookings import BookingService
from qcrbox_registry.services.teaching.collection import CollectionService
from qcrbox_registry.services.teaching.courses import CourseService
from qcrbox_registry.services.teaching.evidence import FactReader
from qcrbox_registry.services.teaching.exercises import ExerciseService
from qcrbox_registry.services.teaching.marking import MarkingService
from qcrbox_registry.services.teaching.next_year import NextYearService
from qcrbox_registry.services.teaching.shelf import ShelfService
from qcrbox_registry.services.teaching.student import StudentService
from qcrbox_registry.services.trash import TrashService
from qcrbox_registry.services.uploads import UploadService


@dataclass(frozen=True)
class Core:
    """Every service, made on one context."""

    context: Context
    agent_files: AgentFileService
    applications: ApplicationService
    audit: AuditService
    board: BoardService
    bookings: BookingService
    calculations: CalculationService
    collection: CollectionService
    contents: ContentService
    courses: CourseService
    data_files: DataFileService
    datasets: DatasetService
    displays: DisplayService
    events: EventFeed
    examples: Examples
    exercises: ExerciseService
    ended: EndedService
    figures: FigureService
    housekeeping: Housekeeping
    launchers: LauncherService
    lineage: LineageService
    marking: MarkingService
    next_year: NextYearService
    orphaned_data: OrphanedDataService
    projects: ProjectService
    readiness: ReadinessService
    resumable_uploads: ResumableUploadService
    retention: RetentionService
    sessions: SessionService
    shares: ShareService
    shelf: ShelfService
    site: SiteService
    student: StudentService
    submissions: SubmissionService
    trash: TrashService
    uploads: UploadService


def make_core(context: Context, version: str) -> Core:
    """The services on this context. `version`: of this product."""
    contents = ContentService(context)
    uploads = UploadService(context, contents)
    resumable = ResumableUploadService(context, contents, uploads)
    sessions = SessionService(context)
    examples = Examples(context.settings.data)
    courses = CourseService(context)
    retention = RetentionService(context)
    facts = FactReader(context)
    return Core(
        context=context,
        agent_files=AgentFileService(context, contents),
        applications=ApplicationService(context, examples, version),
        audit=AuditService(context),
        board=BoardService(context, courses, facts),
        bookings=BookingService(context),
        calculations=CalculationService(context),
        collection=CollectionService(context),
        contents=contents,
        courses=courses,
        data_files=DataFileService(context, contents),
        datasets=DatasetService(context, uploads),
        displays=DisplayService(context, sessions),
        events=EventFeed(context),
        examples=examples,
        exercises=ExerciseService(context, contents),
        ended=EndedService(context),
        figures=FigureService(context),
        housekeeping=Housekeeping(context, contents, resumable, examples, retention),
        launchers=LauncherService(context),
        lineage=LineageService(context),
        marking=MarkingService(context, courses),
        next_year=NextYearService(context),
        orphaned_data=OrphanedDataService(context),
        projects=ProjectService(context),
        readiness=ReadinessService(context),
        resumable_uploads=resumable,
        retention=retention,
        sessions=sessions,
        shares=ShareService(context),
        shelf=ShelfService(context),
        site=SiteService(context),
        student=StudentService(context, contents, facts),
        submissions=SubmissionService(context),
        trash=TrashService(context),
        uploads=uploads,
    )
