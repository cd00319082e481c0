// Made by `make types` from the registry's OpenAPI page. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Amount
         * @description A number of objects and their bytes.
         */
        Amount: {
            /** Number */
            number: number;
            /** Bytes */
            bytes: number;
        };
        /**
         * Annotation
         * @description What a person added to a dataset or calculation.
         */
        Annotation: {
            /** Note */
            note: string;
            /** Pinned */
            pinned: boolean;
            /** Project */
            project?: string | null;
        };
        /**
         * Appended
         * @description A dataset and the file that was added to it.
         */
        Appended: {
            /** Datasets */
            datasets: components["schemas"]["Dataset"][];
            /** Data Files */
            data_files: components["schemas"]["DataFile"][];
            appended_file: components["schemas"]["DataFile"];
        };
        /**
         * Application
         * @description One version of an application with its commands.
         */
        Application: {
            /** Name */
            name: string;
            /** Slug */
            slug: string;
            /** Version */
            version: string;
            /** Id */
            id: number;
            /** Registered At */
            registered_at: string;
            /** Commands */
            commands: components["schemas"]["Command"][];
            /** Description */
            description: string | null;
            /**
             * Url
             * @default
             */
            url: string;
            /** Email */
            email: string | null;
            /** Doi */
            doi: string | null;
            /** Yaml File Path */
            yaml_file_path: string | null;
            /** Gui Port */
            gui_port: string | null;
            /** Pyqcrbox Version */
            pyqcrbox_version: string;
            /** Notes */
            notes?: unknown[];
            /**
             * Licence
             * @default
             */
            licence: string;
            /**
             * Licence State
             * @default unknown
             */
            licence_state: string;
            /**
             * Licence Note
             * @default
             */
            licence_note: string;
            /**
             * Held
             * @default
             */
            held: string;
            /**
             * Missing
             * @default
             */
            missing: string;
            /**
             * Retired
             * @default false
             */
            retired: boolean;
            /** Restricted To */
            restricted_to?: string[] | null;
            /**
             * Agents
             * @default 0
             */
            agents: number;
        };
        /**
         * Applications
         * @description The answer of GET /api/applications.
         */
        Applications: {
            /** Applications */
            applications: components["schemas"]["Application"][];
        };
        /**
         * AuditCheck
         * @description Result of checking the hash chain of the audit trail.
         */
        AuditCheck: {
            /** Sound */
            sound: boolean;
            /** Broken At */
            broken_at: number[];
            /** Faults */
            faults: string[];
        };
        /**
         * AuditEntry
         * @description One entry of the audit trail.
         */
        AuditEntry: {
            /** Seq */
            seq: number;
            /** At */
            at: string;
            /** Who */
            who: string;
            /** Address */
            address: string;
            /** Action */
            action: string;
            /** Kind */
            kind: string;
            /** Object Id */
            object_id: string;
            /** Allowed */
            allowed: boolean;
            /** Details */
            details: {
                [key: string]: unknown;
            };
            /** Previous */
            previous: string;
            /** Hash */
            hash: string;
        };
        /**
         * AuditPage
         * @description A page of the audit trail.
         */
        AuditPage: {
            /** Audit */
            audit: components["schemas"]["AuditEntry"][];
            /** Next */
            next?: string | null;
        };
        /**
         * Board
         * @description Students × tasks, those who are stuck first.
         */
        Board: {
            exercise: components["schemas"]["Exercise"];
            /** Tasks */
            tasks: components["schemas"]["BoardTask"][];
            /** Students */
            students: components["schemas"]["BoardStudent"][];
            /** At */
            at: string;
        };
        /**
         * BoardStudent
         * @description A row of the board.
         */
        BoardStudent: {
            /** Name */
            name: string;
            /** Signed In */
            signed_in: boolean;
            /**
             * Left
             * @default false
             */
            left: boolean;
            /** Opened At */
            opened_at?: string | null;
            /** Last Active At */
            last_active_at?: string | null;
            /** Stuck */
            stuck: boolean;
            /** Done */
            done: number;
            /** Tasks */
            tasks: components["schemas"]["TaskProgress"][];
            /** Version */
            version?: number | null;
            /** Extended Until */
            extended_until?: string | null;
            /** Own Due At */
            own_due_at?: string | null;
            /** Draft At */
            draft_at?: string | null;
            /**
             * Problem
             * @default
             */
            problem: string;
            submitted?: components["schemas"]["Snapshot"] | null;
        };
        /**
         * BoardTask
         * @description A column of the board.
         */
        BoardTask: {
            /** Id */
            id: string;
            /** Title */
            title: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "calculation" | "value" | "answer";
            /**
             * Quantity
             * @default
             */
            quantity: string;
            /**
             * Band
             * @default
             */
            band: string;
            /** Points */
            points: number;
        };
        /**
         * Booking
         * @description A booked time. places: agents that are kept for the class; rehearsal: for the staff.
         */
        Booking: {
            /** Id */
            id: string;
            /** Course Id */
            course_id: string;
            /** Starts At */
            starts_at: string;
            /** Ends At */
            ends_at: string;
            /** Students */
            students: number;
            /** Windows */
            windows: number;
            /** Places */
            places: number;
            /** Applications */
            applications: string[];
            rehearsal?: components["schemas"]["Rehearsal"] | null;
        };
        /**
         * Bookings
         * @description The booked times of a course.
         */
        Bookings: {
            /** Bookings */
            bookings: components["schemas"]["Booking"][];
        };
        /**
         * Calculation
         * @description A calculation with its events, progress and place in the queue.
         */
        Calculation: {
            /** Calculation Id */
            calculation_id: string;
            /** Client Private Inbox */
            client_private_inbox: string;
            /** Application Slug */
            application_slug: string;
            /** Application Version */
            application_version: string;
            /** Command Name */
            command_name: string;
            status: components["schemas"]["State"];
            /** Command Arguments */
            command_arguments: {
                [key: string]: unknown;
            };
            /** Status Events */
            status_events: components["schemas"]["StatusEvent"][];
            /** Output Dataset Id */
            output_dataset_id: string | null;
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Title
             * @default
             */
            title: string;
            /**
             * Owner
             * @default
             */
            owner: string;
            /** Group */
            group?: string | null;
            /**
             * Step
             * @default
             */
            step: string;
            /**
             * Attempt
             * @default 0
             */
            attempt: number;
            /** Submitted At */
            submitted_at?: string | null;
            /** Started At */
            started_at?: string | null;
            /** Finished At */
            finished_at?: string | null;
            /**
             * Error Msg
             * @default
             */
            error_msg: string;
            /** Returncode */
            returncode?: number | null;
            /** Warnings */
            warnings?: string[];
            /** Remarks */
            remarks?: components["schemas"]["Remark"][];
            /** Timings S */
            timings_s?: {
                [key: string]: number;
            };
            /** Progress */
            progress?: {
                [key: string]: unknown;
            } | null;
            /** Queue */
            queue?: {
                [key: string]: unknown;
            } | null;
            /** Tags */
            tags?: string[];
            /**
             * Interactive
             * @default false
             */
            interactive: boolean;
            /**
             * Correlation Id
             * @default
             */
            correlation_id: string;
            /** Batch Id */
            batch_id?: string | null;
            /** Repeat Of */
            repeat_of?: string | null;
        };
        /**
         * CalculationId
         * @description The answer to a submission.
         */
        CalculationId: {
            /** Calculation Id */
            calculation_id: string;
        };
        /**
         * CalculationIds
         * @description The answer to the submission of a batch.
         */
        CalculationIds: {
            /** Batch Id */
            batch_id: string;
            /** Calculation Ids */
            calculation_ids: string[];
        };
        /**
         * Calculations
         * @description A page of calculations.
         */
        Calculations: {
            /** Calculations */
            calculations: components["schemas"]["Calculation"][];
            /** Next */
            next?: string | null;
        };
        /**
         * CheckResult
         * @description passed is null when the check could not be carried out; words say why.
         */
        CheckResult: {
            /** Passed */
            passed: boolean | null;
            /** Words */
            words: string;
        };
        /**
         * ClosedSession
         * @description A session that was closed, with its outputs.
         */
        ClosedSession: {
            /** Session Id */
            session_id: string;
            /** Status */
            status: string;
            /** Output Dataset Id */
            output_dataset_id?: string | null;
            /** Error Msg */
            error_msg?: string | null;
            /** Warnings */
            warnings?: string[] | null;
        };
        /**
         * ClosedSessions
         * @description The answer to closing a session.
         */
        ClosedSessions: {
            /** Interactive Sessions */
            interactive_sessions: components["schemas"]["ClosedSession"][];
        };
        /**
         * Command
         * @description One command of an application with its parameters.
         */
        Command: {
            /** Id */
            id: number;
            /** Application Id */
            application_id: number;
            /** Name */
            name: string;
            /** Cmd Name */
            cmd_name: string;
            /** Application */
            application: string;
            /** Version */
            version: string;
            /** Description */
            description: string;
            /**
             * Implemented As
             * @enum {string}
             */
            implemented_as: "cli_command" | "python_callable" | "interactive_session";
            /** Parameters */
            parameters: {
                [key: string]: {
                    [key: string]: unknown;
                };
            };
            /** Merge Cif Su */
            merge_cif_su: boolean;
            /** Doi */
            doi: string | null;
            /** Outputs */
            outputs?: {
                [key: string]: {
                    [key: string]: unknown;
                };
            };
            /**
             * Interactive
             * @default false
             */
            interactive: boolean;
            /**
             * Title
             * @default
             */
            title: string;
            /**
             * Estimate
             * @default
             */
            estimate: string;
            /**
             * Checkpoint
             * @default
             */
            checkpoint: string;
            /**
             * Missing
             * @default
             */
            missing: string;
        };
        /**
         * Commands
         * @description The answer of GET /api/commands.
         */
        Commands: {
            /** Commands */
            commands: components["schemas"]["Command"][];
        };
        /**
         * Course
         * @description A course: a group with a title. role: of the caller.
         */
        Course: {
            /** Id */
            id: string;
            /** Title */
            title: string;
            /** Group */
            group: string;
            /**
             * Role
             * @enum {string}
             */
            role: "lecturer" | "assistant" | "student";
            /** Created At */
            created_at: string;
            /** Archived At */
            archived_at?: string | null;
        };
        /**
         * CoursePeople
         * @description Everyone of a course.
         */
        CoursePeople: {
            /** People */
            people: components["schemas"]["CoursePerson"][];
        };
        /**
         * CoursePerson
         * @description Someone of a course. signed_in: at least once, at the hub or here.
         */
        CoursePerson: {
            /** Name */
            name: string;
            /**
             * Role
             * @enum {string}
             */
            role: "lecturer" | "assistant" | "student";
            /** Signed In */
            signed_in: boolean;
            /** Last Seen At */
            last_seen_at?: string | null;
        };
        /**
         * Courses
         * @description List of courses.
         */
        Courses: {
            /** Courses */
            courses: components["schemas"]["Course"][];
        };
        /**
         * Criterion
         * @description One line of a rubric: what is met or not, and its points.
         */
        Criterion: {
            /** Text */
            text: string;
            /** Points */
            points: number;
        };
        /**
         * DataFile
         * @description A stored file with what the index knows about it.
         */
        DataFile: {
            /** Qcrbox File Id */
            qcrbox_file_id: string;
            /** Filename */
            filename: string;
            /** Filetype */
            filetype: string;
            /** Qcrbox Dataset Id */
            qcrbox_dataset_id: string | null;
            /**
             * Sha256
             * @default
             */
            sha256: string;
            /**
             * Size
             * @default 0
             */
            size: number;
            /** Created At */
            created_at?: string | null;
            /** Calculation Id */
            calculation_id?: string | null;
            /** Index */
            index?: {
                [key: string]: unknown;
            } | null;
            /** Tags */
            tags?: string[];
            /**
             * Owner
             * @default
             */
            owner: string;
            /** Deleted At */
            deleted_at?: string | null;
        };
        /**
         * DataFiles
         * @description A page of data files.
         */
        DataFiles: {
            /** Data Files */
            data_files: components["schemas"]["DataFile"][];
            /** Next */
            next?: string | null;
        };
        /**
         * Dataset
         * @description A dataset with its files by name.
         */
        Dataset: {
            /** Qcrbox Dataset Id */
            qcrbox_dataset_id: string;
            /** Data Files */
            data_files: {
                [key: string]: components["schemas"]["DataFile"];
            };
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Named
             * @default true
             */
            named: boolean;
            /**
             * Doubtful
             * @default false
             */
            doubtful: boolean;
            /**
             * Description
             * @default
             */
            description: string;
            /**
             * Kind
             * @default data
             * @enum {string}
             */
            kind: "data" | "output" | "example";
            /**
             * Owner
             * @default
             */
            owner: string;
            /** Group */
            group?: string | null;
            /** Created At */
            created_at?: string | null;
            /** Changed At */
            changed_at?: string | null;
            /** Deleted At */
            deleted_at?: string | null;
            /** Calculation Id */
            calculation_id?: string | null;
            /** Application */
            application?: string | null;
            /**
             * Read Only
             * @default false
             */
            read_only: boolean;
            /** Tags */
            tags?: string[];
        };
        /**
         * Datasets
         * @description A page of datasets.
         */
        Datasets: {
            /** Datasets */
            datasets: components["schemas"]["Dataset"][];
            /** Next */
            next?: string | null;
        };
        /**
         * Decided
         * @description A decision that was carried out, with the number of objects by kind.
         */
        Decided: {
            /** Decision Id */
            decision_id: string;
            /** Objects */
            objects: {
                [key: string]: number;
            };
        };
        /**
         * Decision
         * @description A past decision on the data of a deleted group or account.
         */
        Decision: {
            /** Decision Id */
            decision_id: string;
            /** At */
            at: string;
            /** By */
            by: string;
            /**
             * Subject
             * @enum {string}
             */
            subject: "group" | "person";
            /** Id */
            id: number;
            /** Decision */
            decision: string;
            /** Reason */
            reason: string;
            /** Undone At */
            undone_at: string | null;
        };
        /**
         * Decisions
         * @description List of past decisions.
         */
        Decisions: {
            /** Decisions */
            decisions: components["schemas"]["Decision"][];
        };
        /**
         * Disk
         * @description Total and free bytes of the disk that holds the files.
         */
        Disk: {
            /** Total */
            total: number;
            /** Free */
            free: number;
        };
        /**
         * Draft
         * @description A notebook that was kept.
         */
        Draft: {
            /** Draft At */
            draft_at: string;
            /**
             * Problem
             * @default
             */
            problem: string;
        };
        /**
         * Empty
         * @description Nothing to tell.
         */
        Empty: Record<string, never>;
        /**
         * Exercise
         * @description An exercise with the dates that hold for the caller. may_try: in a preview, also before it is open and once closed.
         */
        Exercise: {
            /** Id */
            id: string;
            /** Course Id */
            course_id: string;
            /** Course */
            course: string;
            /** Group */
            group: string;
            /** Title */
            title: string;
            /** Version */
            version: number;
            /** Published */
            published: boolean;
            /** Archived */
            archived: boolean;
            /** Opens At */
            opens_at?: string | null;
            /** Due At */
            due_at?: string | null;
            /** Late Until */
            late_until?: string | null;
            /** Released At */
            released_at?: string | null;
            /**
             * Answers From Store
             * @default false
             */
            answers_from_store: boolean;
            /** Own Due At */
            own_due_at?: string | null;
            /**
             * Phase
             * @enum {string}
             */
            phase: "not_open" | "open" | "late" | "closed";
            /** Opened At */
            opened_at?: string | null;
            /** Own Version */
            own_version?: number | null;
            /**
             * May Try
             * @default false
             */
            may_try: boolean;
        };
        /**
         * ExerciseDetail
         * @description An exercise with its manifest; without what gives the answers away for students.
         */
        ExerciseDetail: {
            /** Id */
            id: string;
            /** Course Id */
            course_id: string;
            /** Course */
            course: string;
            /** Group */
            group: string;
            /** Title */
            title: string;
            /** Version */
            version: number;
            /** Published */
            published: boolean;
            /** Archived */
            archived: boolean;
            /** Opens At */
            opens_at?: string | null;
            /** Due At */
            due_at?: string | null;
            /** Late Until */
            late_until?: string | null;
            /** Released At */
            released_at?: string | null;
            /**
             * Answers From Store
             * @default false
             */
            answers_from_store: boolean;
            /** Own Due At */
            own_due_at?: string | null;
            /**
             * Phase
             * @enum {string}
             */
            phase: "not_open" | "open" | "late" | "closed";
            /** Opened At */
            opened_at?: string | null;
            /** Own Version */
            own_version?: number | null;
            /**
             * May Try
             * @default false
             */
            may_try: boolean;
            /** Manifest */
            manifest: {
                [key: string]: unknown;
            } | null;
            /**
             * Points
             * @default 0
             */
            points: number;
            /**
             * Staff
             * @default false
             */
            staff: boolean;
        };
        /**
         * Exercises
         * @description List of exercises.
         */
        Exercises: {
            /** Exercises */
            exercises: components["schemas"]["Exercise"][];
        };
        /**
         * Extension
         * @description The deadline that holds for a student.
         */
        Extension: {
            /** Student */
            student: string;
            /** Own Due At */
            own_due_at: string | null;
        };
        /**
         * FailedStart
         * @description An agent that did not come up.
         */
        FailedStart: {
            /** Agent */
            agent: string;
            /** Launcher */
            launcher: string;
            /** Requested At */
            requested_at: string;
            /** Ended At */
            ended_at: string | null;
            /** Reason */
            reason: string;
            /** Exit Code */
            exit_code: number | null;
            /** Log */
            log: string;
        };
        /**
         * FailedStarts
         * @description List of agents that did not come up, newest first.
         */
        FailedStarts: {
            /** Failed Starts */
            failed_starts: components["schemas"]["FailedStart"][];
        };
        /**
         * Feedback
         * @description Marks of a student, once they are released.
         */
        Feedback: {
            /** Points */
            points: number;
            /** Most */
            most: number;
            /**
             * Comment
             * @default
             */
            comment: string;
            /** Tasks */
            tasks: components["schemas"]["TaskFeedback"][];
        };
        /**
         * Files
         * @description A part of the data files. total: how many there are.
         */
        Files: {
            /** Files */
            files: components["schemas"]["LargeFile"][];
            /** Total */
            total: number;
        };
        /**
         * GivenMark
         * @description A mark that was given by hand.
         */
        GivenMark: {
            /** Student */
            student: string;
            /** Task Id */
            task_id: string;
        };
        /**
         * Graded
         * @description How many students were marked, and who could not be.
         */
        Graded: {
            /** Marked */
            marked: number;
            /** Problems */
            problems: components["schemas"]["MarkProblem"][];
        };
        /**
         * Health
         * @description The answer of /api/healthz.
         */
        Health: {
            /**
             * Status
             * @default ok
             * @enum {string}
             */
            status: "ok";
        };
        /**
         * Hold
         * @description Body: hold or drain an application, or lift the hold.
         */
        Hold: {
            /**
             * Mode
             * @default null
             * @enum {string|null}
             */
            mode: "hold" | "drain" | null;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * Holder
         * @description Bytes held by a person, a group or an application.
         */
        Holder: {
            /**
             * Subject
             * @enum {string}
             */
            subject: "person" | "group" | "application";
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Bytes */
            bytes: number;
            /** Gone At */
            gone_at: string | null;
        };
        /**
         * Holders
         * @description A part of the persons and groups with stored bytes. total: how many there are.
         */
        Holders: {
            /** Holders */
            holders: components["schemas"]["Holder"][];
            /** Total */
            total: number;
        };
        /**
         * Holds
         * @description List of holds in force.
         */
        Holds: {
            /** Holds */
            holds: components["schemas"]["Hold"][];
        };
        /**
         * JoinedLauncher
         * @description What a launcher that joined needs to connect.
         */
        JoinedLauncher: {
            /** Launcher */
            launcher: string;
            /** Token */
            token: string;
            /** Nats Url */
            nats_url: string;
        };
        /**
         * LargeFile
         * @description A data file that is listed for its size.
         */
        LargeFile: {
            /** Qcrbox File Id */
            qcrbox_file_id: string;
            /** Filename */
            filename: string;
            /** Size */
            size: number;
            /** Owner */
            owner: string;
            /** Group */
            group: string | null;
            /** Created At */
            created_at: string;
        };
        /**
         * LauncherPass
         * @description Permission of a launcher to connect. state: open (the code was not used yet), expired, joined or revoked.
         */
        LauncherPass: {
            /** Id */
            id: string;
            /** Launcher */
            launcher: string;
            /**
             * State
             * @enum {string}
             */
            state: "open" | "expired" | "joined" | "revoked";
            /** By */
            by: string;
            /** At */
            at: string;
            /** Code Expires At */
            code_expires_at: string;
            /** Joined At */
            joined_at: string | null;
            /** Address */
            address: string;
            /** Revoked At */
            revoked_at: string | null;
        };
        /**
         * LauncherPasses
         * @description List of launcher passes, newest first.
         */
        LauncherPasses: {
            /** Passes */
            passes: components["schemas"]["LauncherPass"][];
        };
        /**
         * Leftover
         * @description Data of a deleted group or account that waits for a decision.
         */
        Leftover: {
            /**
             * Subject
             * @enum {string}
             */
            subject: "group" | "person";
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Gone At */
            gone_at: string;
            /** Held Until */
            held_until: string | null;
            /** Datasets */
            datasets: number;
            /** Data Files */
            data_files: number;
            /** Calculations */
            calculations: number;
            /** Bytes */
            bytes: number;
            /** Decision */
            decision: string | null;
        };
        /**
         * Leftovers
         * @description List of data that waits for a decision.
         */
        Leftovers: {
            /** Leftovers */
            leftovers: components["schemas"]["Leftover"][];
        };
        /**
         * Lineage
         * @description The graph of files and calculations around an object.
         */
        Lineage: {
            /** Nodes */
            nodes: components["schemas"]["LineageNode"][];
            /** Edges */
            edges: components["schemas"]["LineageEdge"][];
            /**
             * Truncated
             * @default false
             */
            truncated: boolean;
        };
        /**
         * LineageEdge
         * @description An edge from an input to what was made from it.
         */
        LineageEdge: {
            /** Source */
            source: string;
            /** Target */
            target: string;
            /**
             * Role
             * @default
             */
            role: string;
        };
        /**
         * LineageNode
         * @description A file or calculation in a lineage; `hidden` when the person may not see it.
         */
        LineageNode: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "data_file" | "calculation" | "hidden";
            /** Id */
            id: string;
            /** Label */
            label: string;
            /** Depth */
            depth: number;
            /** Details */
            details?: {
                [key: string]: unknown;
            };
        };
        /**
         * Log
         * @description Output of one attempt, or a part of it.
         */
        Log: {
            /** Attempt */
            attempt: number;
            /** Text */
            text: string;
            /**
             * Stream
             * @enum {string|null}
             */
            stream?: "stdout" | "stderr" | null;
            /** Start */
            start?: number | null;
            /** Next */
            next?: number | null;
            /** Chunks */
            chunks?: components["schemas"]["LogChunk"][] | null;
        };
        /**
         * LogChunk
         * @description A piece of a calculation's output.
         */
        LogChunk: {
            /**
             * Stream
             * @enum {string}
             */
            stream: "stdout" | "stderr";
            /** At */
            at: string;
            /** Text */
            text: string;
        };
        /**
         * MarkProblem
         * @description Work that could not be marked.
         */
        MarkProblem: {
            /** Student */
            student: string;
            /** Problem */
            problem: string;
        };
        /**
         * MarkTask
         * @description A column of the marks. rubric: criteria with their points.
         */
        MarkTask: {
            /** Id */
            id: string;
            /** Title */
            title: string;
            /** Points */
            points: number;
            /** Rubric */
            rubric?: components["schemas"]["Criterion"][];
        };
        /**
         * Marks
         * @description Marks of an exercise.
         */
        Marks: {
            /** Tasks */
            tasks: components["schemas"]["MarkTask"][];
            /** Most */
            most: number;
            /** Released At */
            released_at?: string | null;
            /** Students */
            students: components["schemas"]["StudentMarks"][];
        };
        /**
         * Me
         * @description The person that asks: groups, roles and quotas.
         */
        Me: {
            /** Name */
            name: string;
            /** Groups */
            groups: string[];
            /** Roles */
            roles: {
                [key: string]: string[];
            };
            /** Home Group */
            home_group?: string | null;
            /** Quotas */
            quotas?: {
                [key: string]: unknown;
            }[];
        };
        /**
         * MetCriterion
         * @description A criterion of a rubric as it was when the mark was given.
         */
        MetCriterion: {
            /** Text */
            text: string;
            /** Points */
            points: number;
            /** Met */
            met: boolean;
        };
        /**
         * NewDataset
         * @description A dataset that was just stored, with its files.
         */
        NewDataset: {
            /** Datasets */
            datasets: components["schemas"]["Dataset"][];
            /** Data Files */
            data_files: components["schemas"]["DataFile"][];
        };
        /**
         * NewLauncherPass
         * @description A new pass with its join code, which is shown this once.
         */
        NewLauncherPass: {
            /** Code */
            code: string;
            launcher_pass: components["schemas"]["LauncherPass"];
        };
        /**
         * Note
         * @description A note of the staff.
         */
        Note: {
            /** Text */
            text: string;
            /** By */
            by: string;
            /** At */
            at: string;
        };
        /**
         * Number
         * @description How many.
         */
        Number: {
            /** Number */
            number: number;
        };
        /**
         * OwnExercise
         * @description An exercise as the student has it. preview: a copy of the staff, which counts nowhere.
         */
        OwnExercise: {
            exercise: components["schemas"]["Exercise"];
            /** Manifest */
            manifest: {
                [key: string]: unknown;
            } | null;
            /**
             * Preview
             * @default false
             */
            preview: boolean;
            /** Dataset Id */
            dataset_id?: string | null;
            /** Draft At */
            draft_at?: string | null;
            /**
             * Draft Problem
             * @default
             */
            draft_problem: string;
            /** Tasks */
            tasks: components["schemas"]["TaskProgress"][];
            /** Answers */
            answers?: {
                [key: string]: string;
            };
            /** Snapshots */
            snapshots: components["schemas"]["Snapshot"][];
            /** Notes */
            notes: components["schemas"]["Note"][];
            feedback?: components["schemas"]["Feedback"] | null;
        };
        /**
         * Project
         * @description What belongs to one crystal, in short.
         */
        Project: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Owner */
            owner: string;
            /** Note */
            note: string;
            /** Pinned */
            pinned: boolean;
            /** Formula */
            formula: string;
            /** Space Group */
            space_group: string;
            /** Cell */
            cell: (number | null)[];
            /**
             * Cell Text
             * @default []
             */
            cell_text: string[];
            /** Changed At */
            changed_at: string;
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Running */
            running: number;
            newest: components["schemas"]["ProjectNode"] | null;
            /** Hits */
            hits: components["schemas"]["ProjectNode"][];
        };
        /**
         * ProjectFile
         * @description A file of a node of a project.
         */
        ProjectFile: {
            /** Qcrbox File Id */
            qcrbox_file_id: string;
            /** Filename */
            filename: string;
        };
        /**
         * ProjectNode
         * @description A dataset, or a calculation with its result, as a node of a project's tree.
         */
        ProjectNode: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "dataset" | "calculation";
            /** Id */
            id: string;
            /**
             * Category
             * @enum {string}
             */
            category: "data" | "model" | "refinement" | "session" | "surface" | "report" | "calculation";
            /** Parent */
            parent: string | null;
            /** Beside */
            beside: string[];
            /** Title */
            title: string;
            /** Verdict */
            verdict: string;
            /** Status */
            status: string;
            /** Doubtful */
            doubtful: boolean;
            /** Command */
            command: string;
            /** Owner */
            owner: string;
            /** At */
            at: string;
            /** Note */
            note: string;
            /** Pinned */
            pinned: boolean;
            /** Newest */
            newest: boolean;
            /** Dataset Id */
            dataset_id: string | null;
            /** Structure */
            structure: string | null;
            /** Files */
            files: components["schemas"]["ProjectFile"][];
            /** R1 */
            r1?: number | null;
        };
        /**
         * ProjectTree
         * @description A project with its nodes, each after its parent.
         */
        ProjectTree: {
            project: components["schemas"]["Project"];
            /** Nodes */
            nodes: components["schemas"]["ProjectNode"][];
        };
        /**
         * Projects
         * @description Projects that fit a search.
         */
        Projects: {
            /** Projects */
            projects: components["schemas"]["Project"][];
            /** Total */
            total: number;
            /**
             * Truncated
             * @default false
             */
            truncated: boolean;
            /** Next */
            next?: string | null;
        };
        /**
         * Quota
         * @description One limit of a person, a group, or of everyone by default.
         */
        Quota: {
            /**
             * Subject
             * @enum {string}
             */
            subject: "person" | "group" | "default-person" | "default-group";
            /** Name */
            name: string;
            /**
             * Quota
             * @enum {string}
             */
            quota: "gib" | "running" | "queued" | "sessions" | "cpu_hours";
            /** Limit */
            limit: number;
        };
        /**
         * Quotas
         * @description List of limits.
         */
        Quotas: {
            /** Quotas */
            quotas: components["schemas"]["Quota"][];
            /** Total */
            total: number;
        };
        /**
         * Readiness
         * @description Whether the registry can serve, and what is missing.
         */
        Readiness: {
            /**
             * Status
             * @enum {string}
             */
            status: "ready" | "not ready";
            /** Missing */
            missing: {
                [key: string]: string;
            };
            /** Notes */
            notes: {
                [key: string]: string;
            };
            /** Since */
            since: {
                [key: string]: string;
            };
            /** Uptime S */
            uptime_s: number;
        };
        /**
         * Rehearsal
         * @description What the starts of a booking's agents took. Times in s, memory in bytes; null: not measured.
         */
        Rehearsal: {
            /** Running */
            running: boolean;
            /** Began */
            began?: number | null;
            /** At */
            at?: string | null;
            /**
             * Asked
             * @default 0
             */
            asked: number;
            /**
             * Already
             * @default 0
             */
            already: number;
            /**
             * Started
             * @default 0
             */
            started: number;
            /** First S */
            first_s?: number | null;
            /** Last S */
            last_s?: number | null;
            /** Each Bytes */
            each_bytes?: number | null;
            /** Free Bytes */
            free_bytes?: number | null;
            /** Advice */
            advice?: string[];
        };
        /**
         * Released
         * @description Since when students see their marks.
         */
        Released: {
            /** Released At */
            released_at: string | null;
        };
        /**
         * Remark
         * @description One remark of a calculation.
         */
        Remark: {
            kind: components["schemas"]["RemarkKind"];
            /** Text */
            text: string;
        };
        /**
         * RemarkKind
         * @description Kinds of remarks that are no warnings.
         * @enum {string}
         */
        RemarkKind: "note" | "not_applied";
        /**
         * ResearchExport
         * @description What students did, by numbers that are drawn anew each time; no names, ids, dates or texts.
         */
        ResearchExport: {
            /** Students */
            students: number;
            /** Exercises */
            exercises: {
                [key: string]: unknown;
            }[];
        };
        /** Retained */
        Retained: {
            /** Datasets */
            datasets: number;
            /** Files */
            files: number;
            /** Bytes */
            bytes: number;
        };
        /**
         * RetentionRule
         * @description A rule that puts old outputs into the trash every day.
         */
        RetentionRule: {
            /** Id */
            id: number;
            /** Unused Days */
            unused_days: number;
            /** Group */
            group: string | null;
            /** Reason */
            reason: string;
            /** By */
            by: string;
            /** At */
            at: string;
            /** Due At */
            due_at: string;
            /** Last Run At */
            last_run_at: string | null;
            last_run: components["schemas"]["Retained"];
        };
        /**
         * RetentionRules
         * @description List of retention rules.
         */
        RetentionRules: {
            /** Rules */
            rules: components["schemas"]["RetentionRule"][];
        };
        /**
         * SentNote
         * @description A note that was sent; to is null for everyone.
         */
        SentNote: {
            /** To */
            to: string | null;
            /** Text */
            text: string;
        };
        /**
         * Session
         * @description An interactive session.
         */
        Session: {
            /** Session Id */
            session_id: string;
            /** Client Private Inbox */
            client_private_inbox: string;
            /** Command Name */
            command_name: string;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /** Application Slug */
            application_slug: string | null;
            /** Application Version */
            application_version: string | null;
            /**
             * State
             * @default
             */
            state: string;
            /** @default submitted */
            status: components["schemas"]["State"];
            /**
             * Step
             * @default
             */
            step: string;
            /**
             * Reason
             * @default
             */
            reason: string;
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Title
             * @default
             */
            title: string;
            /**
             * Owner
             * @default
             */
            owner: string;
            /** Group */
            group?: string | null;
            /** Opened At */
            opened_at?: string | null;
            /** Last Input At */
            last_input_at?: string | null;
            /** Closed At */
            closed_at?: string | null;
            /** Idle Limit S */
            idle_limit_s?: number | null;
            /** Idle Ends At */
            idle_ends_at?: string | null;
            /** Warned At */
            warned_at?: string | null;
            /** Width */
            width?: number | null;
            /** Height */
            height?: number | null;
            /**
             * View Only Allowed
             * @default false
             */
            view_only_allowed: boolean;
            /** Output Dataset Id */
            output_dataset_id?: string | null;
        };
        /**
         * SessionId
         * @description The answer to the start of a session.
         */
        SessionId: {
            /** Interactive Session Id */
            interactive_session_id: string;
        };
        /**
         * Sessions
         * @description A page of sessions.
         */
        Sessions: {
            /** Interactive Sessions */
            interactive_sessions: components["schemas"]["Session"][];
            /** Next */
            next?: string | null;
        };
        /**
         * Share
         * @description A right that was given to a person or group.
         */
        Share: {
            /** Id */
            id: string;
            /** Kind */
            kind: string;
            /** Object Id */
            object_id: string;
            /** Person */
            person?: string | null;
            /** Group */
            group?: string | null;
            /**
             * Mode
             * @enum {string}
             */
            mode: "read" | "write" | "view";
            /** By */
            by: string;
            /** At */
            at: string;
            /** Expires At */
            expires_at?: string | null;
        };
        /**
         * Shares
         * @description List of shares.
         */
        Shares: {
            /** Shares */
            shares: components["schemas"]["Share"][];
        };
        /**
         * Shelf
         * @description The shelf of a course.
         */
        Shelf: {
            /** Items */
            items: components["schemas"]["ShelfItem"][];
        };
        /**
         * ShelfItem
         * @description A file on the shelf of a course. size: bytes.
         */
        ShelfItem: {
            /** Id */
            id: string;
            /** Title */
            title: string;
            /** Filename */
            filename: string;
            /** Size */
            size: number;
            /** For Lecturers */
            for_lecturers: boolean;
            /** Opens At */
            opens_at?: string | null;
            /** Closes At */
            closes_at?: string | null;
        };
        /**
         * SiteCheck
         * @description Result of checking the database against the stored files.
         */
        SiteCheck: {
            /** Sound */
            sound: boolean;
            /** Faults */
            faults: string[];
        };
        /**
         * SiteStatus
         * @description Queue, agents and launchers as the scheduler sees them.
         */
        SiteStatus: {
            /** Waiting */
            waiting: number;
            /** Running */
            running: number;
            /** Sessions */
            sessions: number;
            /** Waiting By Application */
            waiting_by_application: {
                [key: string]: number;
            };
            /** Waits */
            waits: {
                [key: string]: string;
            };
            /** Failed Starts */
            failed_starts: {
                [key: string]: string;
            };
            /** Agents */
            agents: {
                [key: string]: unknown;
            }[];
            /** Launchers */
            launchers: {
                [key: string]: unknown;
            }[];
            /** Counters */
            counters: {
                [key: string]: number;
            };
            /** Nats */
            nats: unknown;
        };
        /**
         * Snapshot
         * @description What was submitted or collected; receipt: SHA-256 of its content.
         */
        Snapshot: {
            /** Id */
            id: string;
            /** Student */
            student: string;
            /**
             * Reason
             * @enum {string}
             */
            reason: "submitted" | "collected";
            /** At */
            at: string;
            /** Due At */
            due_at?: string | null;
            /** Late */
            late: boolean;
            /** Receipt */
            receipt: string;
            /** Has Notebook */
            has_notebook: boolean;
            /**
             * Problem
             * @default
             */
            problem: string;
            /** Files */
            files?: string[];
        };
        /**
         * State
         * @description States of the REST contract.
         * @enum {string}
         */
        State: "submitted" | "running" | "successful" | "failed" | "cancelled" | "unknown";
        /**
         * StatusEvent
         * @description One change of the state of a calculation.
         */
        StatusEvent: {
            /** Calculation Id */
            calculation_id: string;
            status: components["schemas"]["State"];
            /** Stdout */
            stdout?: string | null;
            /** Stderr */
            stderr?: string | null;
            /** Output Dataset Id */
            output_dataset_id?: string | null;
            /** Extra Info */
            extra_info?: {
                [key: string]: unknown;
            };
            /** Timestamp */
            timestamp: string;
            /**
             * Seq
             * @default 0
             */
            seq: number;
        };
        /**
         * Stopped
         * @description Calculations that were asked to stop.
         */
        Stopped: {
            /** Calculations */
            calculations: components["schemas"]["StoppedCalculation"][];
        };
        /**
         * StoppedCalculation
         * @description State of a calculation after a request to stop it.
         */
        StoppedCalculation: {
            /** Calculation Id */
            calculation_id: string;
            status: components["schemas"]["State"];
            /** Step */
            step: string;
        };
        /**
         * Storage
         * @description contents: stored bytes, each content once; unused: contents that no file points to any more.
         */
        Storage: {
            contents: components["schemas"]["Amount"];
            files: components["schemas"]["Amount"];
            trash: components["schemas"]["Amount"];
            unused: components["schemas"]["Amount"];
            /** Undo Days */
            undo_days: number;
            disk: components["schemas"]["Disk"];
            /** Holders */
            holders: components["schemas"]["Holder"][];
            /** Largest */
            largest: components["schemas"]["LargeFile"][];
        };
        /**
         * Stored
         * @description What an upload has stored.
         */
        Stored: {
            /** Dataset Id */
            dataset_id?: string | null;
            /** Data File Id */
            data_file_id?: string | null;
            /** Datasets */
            datasets?: components["schemas"]["Dataset"][] | null;
            /** Data Files */
            data_files: components["schemas"]["DataFile"][];
        };
        /**
         * StudentMarks
         * @description Marks of a student. to_decide: tasks that wait for a person.
         */
        StudentMarks: {
            /** Name */
            name: string;
            /** Tasks */
            tasks: components["schemas"]["TaskMark"][];
            /** Points */
            points: number;
            /** To Decide */
            to_decide: number;
            /**
             * Comment
             * @default
             */
            comment: string;
            submitted?: components["schemas"]["Snapshot"] | null;
        };
        /**
         * StudentWork
         * @description One student with everything they did.
         */
        StudentWork: {
            /** Name */
            name: string;
            /** Signed In */
            signed_in: boolean;
            /**
             * Left
             * @default false
             */
            left: boolean;
            /** Opened At */
            opened_at?: string | null;
            /** Last Active At */
            last_active_at?: string | null;
            /** Stuck */
            stuck: boolean;
            /** Done */
            done: number;
            /** Tasks */
            tasks: components["schemas"]["TaskProgress"][];
            /** Version */
            version?: number | null;
            /** Extended Until */
            extended_until?: string | null;
            /** Own Due At */
            own_due_at?: string | null;
            /** Draft At */
            draft_at?: string | null;
            /**
             * Problem
             * @default
             */
            problem: string;
            submitted?: components["schemas"]["Snapshot"] | null;
            exercise: components["schemas"]["Exercise"];
            /** Manifest */
            manifest: {
                [key: string]: unknown;
            };
            /** Answers */
            answers: {
                [key: string]: string;
            };
            /** Calculations */
            calculations: components["schemas"]["Calculation"][];
            /** Has Draft */
            has_draft: boolean;
            /** Snapshots */
            snapshots: components["schemas"]["Snapshot"][];
            /**
             * Extension Reason
             * @default
             */
            extension_reason: string;
        };
        /**
         * TaskFeedback
         * @description Points and comment of a task, with the criteria where it was marked by a rubric.
         */
        TaskFeedback: {
            /** Task Id */
            task_id: string;
            /** Title */
            title: string;
            /** Points */
            points?: number | null;
            /** Most */
            most: number;
            /**
             * Words
             * @default
             */
            words: string;
            /**
             * Comment
             * @default
             */
            comment: string;
            /** Criteria */
            criteria?: components["schemas"]["MetCriterion"][];
        };
        /**
         * TaskMark
         * @description automatic: points of the checks; points: given by a person; counts: what counts, null while undecided.
         */
        TaskMark: {
            /** Task Id */
            task_id: string;
            /** Automatic */
            automatic?: number | null;
            /** Points */
            points?: number | null;
            /** Counts */
            counts?: number | null;
            /**
             * Words
             * @default
             */
            words: string;
            /**
             * Comment
             * @default
             */
            comment: string;
            /** Criteria */
            criteria?: components["schemas"]["MetCriterion"][];
        };
        /**
         * TaskProgress
         * @description State of a task of a student.
         */
        TaskProgress: {
            /** Task Id */
            task_id: string;
            state: components["schemas"]["TaskState"];
            /**
             * Words
             * @default
             */
            words: string;
            /** Value */
            value?: number | null;
            /** Calculation Id */
            calculation_id?: string | null;
            /** At */
            at?: string | null;
            /** Checks */
            checks?: components["schemas"]["CheckResult"][];
            /**
             * Hint
             * @default
             */
            hint: string;
        };
        /**
         * TaskState
         * @description How far a student is with a task.
         * @enum {string}
         */
        TaskState: "not_begun" | "running" | "done" | "out_of_band" | "failed" | "stuck" | "handed_in";
        /**
         * Undone
         * @description A decision that was undone, with the number of objects returned.
         */
        Undone: {
            /** Decision Id */
            decision_id: string;
            /** Objects */
            objects: number;
        };
        /**
         * Upload
         * @description Progress of an upload, in bytes.
         */
        Upload: {
            /** Upload Id */
            upload_id: string;
            /** Offset */
            offset: number;
            /** Size */
            size: number;
            /**
             * State
             * @default open
             * @enum {string}
             */
            state: "open" | "used";
            /** Dataset Id */
            dataset_id?: string | null;
            /** Data File Id */
            data_file_id?: string | null;
        };
        /**
         * Usage
         * @description Used time and slots by person, group and application.
         */
        Usage: {
            /** Usage */
            usage: components["schemas"]["Use"][];
        };
        /**
         * Use
         * @description Calculations and sessions now, CPU hours of this month (UTC). limits: null is unlimited.
         */
        Use: {
            /**
             * Subject
             * @enum {string}
             */
            subject: "person" | "group";
            /** Name */
            name: string;
            /** Gib */
            gib: number;
            /** Running */
            running: number;
            /** Queued */
            queued: number;
            /** Sessions */
            sessions: number;
            /** Cpu Hours */
            cpu_hours: number;
            /** Limits */
            limits: {
                [key: string]: number | null;
            };
        };
        /**
         * Verified
         * @description Result of comparing the stored bytes of a data file with their hash.
         */
        Verified: {
            /** Data File Id */
            data_file_id: string;
            /** Sha256 */
            sha256: string;
            /** Found */
            found: string | null;
            /** Sound */
            sound: boolean;
        };
        /** ApplyRetention */
        ApplyRetention: {
            /** Unused Days */
            unused_days: number;
            /**
             * Group
             * @default null
             */
            group: string | null;
            /**
             * Dry Run
             * @default true
             */
            dry_run: boolean;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * Attach
         * @description Body: an existing data file to add to a dataset.
         */
        Attach: {
            /** Data File Id */
            data_file_id: string;
        };
        /**
         * Band
         * @description The values that count as reached; an open end is None.
         */
        Band: {
            /**
             * Low
             * @default null
             */
            low: number | null;
            /**
             * High
             * @default null
             */
            high: number | null;
        };
        /**
         * ChangeAnnotation
         * @description Body: note, pin or project of a node; what is left out stays.
         */
        ChangeAnnotation: {
            /**
             * Note
             * @default null
             */
            note: string | null;
            /**
             * Pinned
             * @default null
             */
            pinned: boolean | null;
            /**
             * Project
             * @default null
             */
            project: string | null;
        };
        /**
         * ChangeApplication
         * @description Body: settings of an application that an administrator may change; what is left out stays.
         */
        ChangeApplication: {
            /**
             * Restricted To
             * @default null
             */
            restricted_to: string[] | null;
            /**
             * Reuse
             * @default null
             * @enum {string|null}
             */
            reuse: "never" | "same-owner" | "any" | null;
            /**
             * Warm
             * @default null
             */
            warm: number | null;
            /**
             * Most Agents
             * @default null
             */
            most_agents: number | null;
            /**
             * Approved
             * @default null
             */
            approved: boolean | null;
            /**
             * Licence State
             * @default null
             * @enum {string|null}
             */
            licence_state: "unknown" | "free" | "granted" | "needed" | null;
            /**
             * Licence Note
             * @default null
             */
            licence_note: string | null;
        };
        /**
         * ChangeCalculation
         * @description Body: new tags or title; what is left out stays.
         */
        ChangeCalculation: {
            /**
             * Tags
             * @default null
             */
            tags: string[] | null;
            /**
             * Title
             * @default null
             */
            title: string | null;
        };
        /**
         * ChangeCourse
         * @description Body: new title, or archive and restore.
         */
        ChangeCourse: {
            /**
             * Title
             * @default null
             */
            title: string | null;
            /**
             * Archived
             * @default null
             */
            archived: boolean | null;
        };
        /**
         * ChangeDataFile
         * @description Body: new name or tags of a data file; what is left out stays.
         */
        ChangeDataFile: {
            /**
             * Filename
             * @default null
             */
            filename: string | null;
            /**
             * Tags
             * @default null
             */
            tags: string[] | null;
        };
        /**
         * ChangeDataset
         * @description Body: new name, description, group or tags of a dataset; what is left out stays.
         */
        ChangeDataset: {
            /**
             * Name
             * @default null
             */
            name: string | null;
            /**
             * Description
             * @default null
             */
            description: string | null;
            /**
             * Group
             * @default null
             */
            group: string | null;
            /**
             * Tags
             * @default null
             */
            tags: string[] | null;
        };
        /**
         * ChangeExercise
         * @description Body: dates (ISO 8601, null takes a date away), visibility, and whether the same calculation on the same input is
         *     answered by a copy of the first result; what is left out stays.
         */
        ChangeExercise: {
            /**
             * Published
             * @default null
             */
            published: boolean | null;
            /**
             * Opens At
             * Format: date-time
             * @default null
             */
            opens_at: string | null;
            /**
             * Due At
             * Format: date-time
             * @default null
             */
            due_at: string | null;
            /**
             * Late Until
             * Format: date-time
             * @default null
             */
            late_until: string | null;
            /**
             * Answers From Store
             * @default null
             */
            answers_from_store: boolean | null;
        };
        /**
         * ChangePriority
         * @description Body: new priority of a queued calculation.
         */
        ChangePriority: {
            /** Priority */
            priority: number;
            /**
             * Reason
             * @default null
             */
            reason: string | null;
        };
        /**
         * ChangeSession
         * @description Body: whether the group may view the session.
         */
        ChangeSession: {
            /** View Only Allowed */
            view_only_allowed: boolean;
        };
        /**
         * Check
         * @description Something that is tested on the CIF a calculation wrote.
         *
         *     kind: `quantity` (one of QUANTITIES in `band`), `space_group` (`number` or `symbol`), `all_hydrogens` (`count`
         *     hydrogen atoms in the asymmetric unit, weighted by occupancy; without it: as the formula demands some), `no_alerts`
         *     (none of `level` or worse), `element` (site `label` has `symbol`), `occupancy` (that of site `label` lies in `band`; a
         *     band that ends at 0 asks that the site is not in the model).
         */
        Check: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "quantity" | "space_group" | "all_hydrogens" | "no_alerts" | "element" | "occupancy";
            /**
             * Quantity
             * @default r1
             */
            quantity: string;
            /** @default null */
            band: components["schemas"]["Band"] | null;
            /**
             * Number
             * @default null
             */
            number: number | null;
            /**
             * Symbol
             * @default
             */
            symbol: string;
            /**
             * Label
             * @default
             */
            label: string;
            /**
             * Count
             * @default null
             */
            count: number | null;
            /**
             * Level
             * @default A
             * @enum {string}
             */
            level: "A" | "B" | "C";
        };
        /**
         * Close
         * @description Body: end a session, keeping its files or not.
         */
        Close: {
            /**
             * Keep
             * @default true
             */
            keep: boolean;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * CopyCourse
         * @description Body: the group that becomes the new course, and its title.
         */
        CopyCourse: {
            /** Group */
            group: string;
            /** Title */
            title: string;
        };
        /**
         * Decide
         * @description Body: what happens to the data of a deleted group or account.
         */
        Decide: {
            /**
             * Subject
             * @enum {string}
             */
            subject: "group" | "person";
            /** Id */
            id: number;
            /**
             * Decision
             * @enum {string}
             */
            decision: "archive" | "delete" | "group" | "owners" | "person";
            /**
             * To
             * @default null
             */
            to: string | null;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * EmptyTrash
         * @description Body: delete what has been in the trash for longer than the given days.
         */
        EmptyTrash: {
            /** Older Than Days */
            older_than_days: number;
            /**
             * Dry Run
             * @default true
             */
            dry_run: boolean;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * ErrorBody
         * @description An error: code and message of the contract, then the parts of the text and further fields.
         */
        ErrorBody: {
            /** Code */
            code: number;
            /** Message */
            message: string;
            /** Details */
            details: string | string[];
            /**
             * Kind
             * @default error
             */
            kind: string;
            /**
             * What
             * @default
             */
            what: string;
            /**
             * Where
             * @default
             */
            where: string;
            /**
             * Why
             * @default
             */
            why: string;
            /**
             * Next
             * @default
             */
            next: string;
            /** Fields */
            fields?: {
                [key: string]: unknown;
            };
        };
        /**
         * Failure
         * @description The envelope of every error.
         */
        Failure: {
            /**
             * Status
             * @default error
             * @enum {string}
             */
            status: "error";
            error: components["schemas"]["ErrorBody"];
        };
        /**
         * FreeQueue
         * @description Body: why the calculations of the class are cancelled; their owners read it.
         */
        FreeQueue: {
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * GiveMark
         * @description Body: points (null: those of the checks count again) and comment of a task; task_id "" is the whole exercise.
         *
         *     criteria: the places (from 0) of those of the rubric that are met; they give the points.
         */
        GiveMark: {
            /** Student */
            student: string;
            /**
             * Task Id
             * @default
             */
            task_id: string;
            /**
             * Points
             * @default null
             */
            points: number | null;
            /**
             * Comment
             * @default
             */
            comment: string;
            /**
             * Criteria
             * @default null
             */
            criteria: number[] | null;
        };
        /**
         * GivenAnswer
         * @description Body: what was typed for a task.
         */
        GivenAnswer: {
            /** Value */
            value: string;
        };
        /**
         * GivenExtension
         * @description Body: a later deadline for one student (ISO 8601); null takes it back.
         */
        GivenExtension: {
            /** Student */
            student: string;
            /**
             * Until
             * Format: date-time
             */
            until: string | null;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * GivenFile
         * @description A data file of yours for the exercise; for_lecturers: students do not get it.
         */
        GivenFile: {
            /** Data File Id */
            data_file_id: string;
            /**
             * For Lecturers
             * @default false
             */
            for_lecturers: boolean;
        };
        /**
         * GivenNote
         * @description Body: a note to one student, or to everyone when `student` is left out.
         */
        GivenNote: {
            /** Text */
            text: string;
            /**
             * Student
             * @default null
             */
            student: string | null;
        };
        /**
         * InviteLauncher
         * @description Body: a join code for a launcher of this name.
         */
        InviteLauncher: {
            /** Launcher */
            launcher: string;
            /**
             * Minutes
             * @default 15
             */
            minutes: number;
        };
        /**
         * Join
         * @description Body: a join code.
         */
        Join: {
            /** Code */
            code: string;
        };
        /**
         * NewBooking
         * @description Body: a time for a class (ISO 8601). places: null proposes as many as the class needs.
         */
        NewBooking: {
            /**
             * Starts At
             * Format: date-time
             */
            starts_at: string;
            /**
             * Ends At
             * Format: date-time
             */
            ends_at: string;
            /** Students */
            students: number;
            /**
             * Windows
             * @default 0
             */
            windows: number;
            /**
             * Places
             * @default null
             */
            places: number | null;
            /** Applications */
            applications: string[];
        };
        /**
         * NewCourse
         * @description Body: make a group of yours a course.
         */
        NewCourse: {
            /** Group */
            group: string;
            /** Title */
            title: string;
        };
        /**
         * NewExercise
         * @description Body: a version of an exercise. notebook: the JSON text of an .ipynb file.
         *
         *     keep_files_of: the newest version, whose notebook and files stay where this one brings none of the name.
         */
        NewExercise: {
            /** Title */
            title: string;
            /**
             * Text
             * @default
             */
            text: string;
            /**
             * Minutes
             * @default null
             */
            minutes: number | null;
            /** Tasks */
            tasks?: components["schemas"]["Task"][];
            /**
             * Notebook
             * @default null
             */
            notebook: string | null;
            /**
             * Notebook Name
             * @default notebook.ipynb
             */
            notebook_name: string;
            /** Files */
            files?: components["schemas"]["GivenFile"][];
            /**
             * Keep Files Of
             * @default null
             */
            keep_files_of: number | null;
        };
        /**
         * NewRetentionRule
         * @description Body: a retention rule that runs every day.
         */
        NewRetentionRule: {
            /** Unused Days */
            unused_days: number;
            /**
             * Group
             * @default null
             */
            group: string | null;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * NewShare
         * @description Body: share an object with one person or one group.
         */
        NewShare: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "dataset" | "data_file" | "calculation";
            /** Object Id */
            object_id: string;
            /**
             * Person
             * @default null
             */
            person: string | null;
            /**
             * Group
             * @default null
             */
            group: string | null;
            /**
             * Mode
             * @default read
             * @enum {string}
             */
            mode: "read" | "write";
            /**
             * Expires At
             * Format: date-time
             * @default null
             */
            expires_at: string | null;
        };
        /**
         * NewShelfItem
         * @description Body: a data file of yours for the shelf; dates (ISO 8601) between which students see it.
         */
        NewShelfItem: {
            /** Data File Id */
            data_file_id: string;
            /**
             * Title
             * @default
             */
            title: string;
            /**
             * For Lecturers
             * @default false
             */
            for_lecturers: boolean;
            /**
             * Opens At
             * Format: date-time
             * @default null
             */
            opens_at: string | null;
            /**
             * Closes At
             * Format: date-time
             * @default null
             */
            closes_at: string | null;
        };
        /**
         * NewUpload
         * @description Body: begin an upload of `size` bytes that can be resumed.
         */
        NewUpload: {
            /** Filename */
            filename: string;
            /** Size */
            size: number;
            /**
             * Sha256
             * @default null
             */
            sha256: string | null;
            /**
             * Purpose
             * @default dataset
             * @enum {string}
             */
            purpose: "data_file" | "dataset" | "append";
            /**
             * Dataset Id
             * @default null
             */
            dataset_id: string | null;
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Description
             * @default
             */
            description: string;
            /**
             * Group
             * @default null
             */
            group: string | null;
        };
        /**
         * Release
         * @description Body: whether students see their marks.
         */
        Release: {
            /** Released */
            released: boolean;
        };
        /**
         * SetHold
         * @description Body: hold or drain a launcher or the site, or lift the hold.
         */
        SetHold: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "launcher" | "site";
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Mode
             * @default null
             * @enum {string|null}
             */
            mode: "hold" | "drain" | null;
            /**
             * Reason
             * @default
             */
            reason: string;
        };
        /**
         * SetLimit
         * @description Body: set a quota; null returns it to the default.
         */
        SetLimit: {
            /**
             * Subject
             * @enum {string}
             */
            subject: "person" | "group" | "default-person" | "default-group";
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Quota
             * @enum {string}
             */
            quota: "gib" | "running" | "queued" | "sessions" | "cpu_hours";
            /**
             * Limit
             * @default null
             */
            limit: number | null;
        };
        /**
         * StartSession
         * @description The body of POST /api/interactive-sessions.
         */
        StartSession: {
            /** Application Slug */
            application_slug: string;
            /** Application Version */
            application_version: string;
            /** Command Arguments */
            command_arguments?: {
                [key: string]: unknown;
            };
            /**
             * Command Name
             * @default null
             */
            command_name: string | null;
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Group
             * @default null
             */
            group: string | null;
            /**
             * Force
             * @default false
             */
            force: boolean;
            /**
             * Width
             * @default null
             */
            width: number | null;
            /**
             * Height
             * @default null
             */
            height: number | null;
        };
        /**
         * Stop
         * @description Body: stop one calculation.
         */
        Stop: {
            /**
             * Reason
             * @default null
             */
            reason: string | null;
        };
        /**
         * StopMany
         * @description Body: stop the listed calculations or those of a batch.
         */
        StopMany: {
            /**
             * Calculation Ids
             * @default null
             */
            calculation_ids: string[] | null;
            /**
             * Batch Id
             * @default null
             */
            batch_id: string | null;
            /**
             * Reason
             * @default null
             */
            reason: string | null;
        };
        /**
         * Submit
         * @description Body: notebook (JSON text of the .ipynb file) to submit; without it the newest draft counts.
         *
         *     files: kept with this submission, byte for byte; the body is at most 21 MiB.
         */
        Submit: {
            /**
             * Notebook
             * @default null
             */
            notebook: string | null;
            /** Files */
            files?: components["schemas"]["SubmittedFile"][];
            /**
             * Problem
             * @default
             */
            problem: string;
        };
        /**
         * SubmitBatch
         * @description The body of POST /api/commands/batch: all are accepted or none.
         */
        SubmitBatch: {
            /** Commands */
            commands: components["schemas"]["SubmitCommand"][];
        };
        /**
         * SubmitCommand
         * @description The body of POST /api/commands.
         */
        SubmitCommand: {
            /** Application Slug */
            application_slug: string;
            /** Application Version */
            application_version: string;
            /** Command Name */
            command_name: string;
            /** Command Arguments */
            command_arguments?: {
                [key: string]: unknown;
            };
            /**
             * Name
             * @default
             */
            name: string;
            /**
             * Group
             * @default null
             */
            group: string | null;
            /**
             * Priority
             * @default 0
             */
            priority: number;
            /**
             * Force
             * @default false
             */
            force: boolean;
            /**
             * Wall Time S
             * @default null
             */
            wall_time_s: number | null;
            /** Tags */
            tags?: string[];
            /**
             * Repeat Of
             * @default null
             */
            repeat_of: string | null;
        };
        /**
         * SubmittedFile
         * @description A file submitted beside the notebook; content: base64.
         */
        SubmittedFile: {
            /** Filename */
            filename: string;
            /** Content */
            content: string;
        };
        /**
         * Task
         * @description One step of an exercise.
         *
         *     kind `calculation`: a successful calculation of `command` (`application.command` or the command alone; empty: any)
         *     with `parameters`, whose `quantity` lies in `band` and which passes `checks`. kind `value`: a number within
         *     `tolerance` of `target`. kind `answer`: a text that is one of `accepted`. Without target or accepted answers a
         *     person marks what was handed in; the criteria of `rubric` are for that person, and their points add up to those of
         *     the task.
         */
        Task: {
            /** Id */
            id: string;
            /** Title */
            title: string;
            /**
             * Kind
             * @default calculation
             * @enum {string}
             */
            kind: "calculation" | "value" | "answer";
            /**
             * Text
             * @default
             */
            text: string;
            /**
             * Hint
             * @default
             */
            hint: string;
            /**
             * Points
             * @default 1
             */
            points: number;
            /**
             * Command
             * @default
             */
            command: string;
            /** Parameters */
            parameters?: {
                [key: string]: unknown;
            };
            /**
             * Quantity
             * @default r1
             */
            quantity: string;
            /** @default null */
            band: components["schemas"]["Band"] | null;
            /** Checks */
            checks?: components["schemas"]["Check"][];
            /**
             * Unit
             * @default
             */
            unit: string;
            /**
             * Target
             * @default null
             */
            target: number | null;
            /**
             * Tolerance
             * @default 0
             */
            tolerance: number;
            /** Choices */
            choices?: string[];
            /** Accepted */
            accepted?: string[];
            /** Rubric */
            rubric?: components["schemas"]["Criterion"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
