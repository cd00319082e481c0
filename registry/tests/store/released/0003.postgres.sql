


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;


CREATE FUNCTION public.audit_only_grows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit trail only grows'; END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;


CREATE TABLE public.agents (
    id character varying(63) NOT NULL,
    application_id bigint NOT NULL,
    launcher character varying(63) DEFAULT ''::character varying NOT NULL,
    state character varying(12) NOT NULL,
    busy_with character varying(32),
    attempt integer,
    owner_id integer,
    enrolment_hash character varying(64),
    user_nkey character varying(80),
    host text DEFAULT ''::text NOT NULL,
    pid integer,
    handle text DEFAULT ''::text NOT NULL,
    qcrbox_version character varying(60) DEFAULT ''::character varying NOT NULL,
    notes json DEFAULT '[]'::json NOT NULL,
    rss_bytes bigint,
    requested_at double precision NOT NULL,
    ready_at double precision,
    idle_since double precision,
    last_seen_at double precision,
    gone_at double precision,
    exit_code integer,
    reason text DEFAULT ''::text NOT NULL
);



CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);



CREATE TABLE public.applications (
    id bigint NOT NULL,
    slug character varying(255) NOT NULL,
    version character varying(255) NOT NULL,
    name text NOT NULL,
    description text,
    url text,
    email text,
    doi text,
    yaml_file_path text,
    gui_port character varying(20),
    qcrbox_version character varying(60) DEFAULT ''::character varying NOT NULL,
    spec json NOT NULL,
    spec_hash character varying(64) NOT NULL,
    notes json DEFAULT '[]'::json NOT NULL,
    reuse character varying(20) DEFAULT 'same-owner'::character varying NOT NULL,
    limits json DEFAULT '{}'::json NOT NULL,
    warm integer DEFAULT 0 NOT NULL,
    most_agents integer,
    approved boolean DEFAULT true NOT NULL,
    retired_at double precision,
    restricted_to json,
    registered_at double precision NOT NULL,
    updated_at double precision NOT NULL
);



CREATE SEQUENCE public.applications_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.applications_id_seq OWNED BY public.applications.id;



CREATE TABLE public.audit (
    seq bigint NOT NULL,
    at double precision NOT NULL,
    who_id integer,
    who character varying(255) NOT NULL,
    address character varying(64) DEFAULT ''::character varying NOT NULL,
    action character varying(255) NOT NULL,
    kind character varying(24) DEFAULT ''::character varying NOT NULL,
    object_id character varying(255) DEFAULT ''::character varying NOT NULL,
    allowed boolean NOT NULL,
    details json DEFAULT '{}'::json NOT NULL,
    previous character varying(64) NOT NULL,
    hash character varying(64) NOT NULL
);



CREATE SEQUENCE public.audit_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.audit_seq_seq OWNED BY public.audit.seq;



CREATE TABLE public.calculation_inputs (
    calculation_id character varying(32) NOT NULL,
    parameter character varying(255) NOT NULL,
    data_file_id character varying(32) NOT NULL
);



CREATE TABLE public.calculation_outputs (
    calculation_id character varying(32) NOT NULL,
    "position" integer NOT NULL,
    name character varying(255) DEFAULT ''::character varying NOT NULL,
    data_file_id character varying(32) NOT NULL,
    is_primary boolean DEFAULT false NOT NULL
);



CREATE TABLE public.calculations (
    id character varying(32) NOT NULL,
    owner_id bigint NOT NULL,
    group_id bigint,
    application_id bigint NOT NULL,
    command_id bigint NOT NULL,
    application_slug character varying(255) NOT NULL,
    application_version character varying(255) NOT NULL,
    command_name character varying(255) NOT NULL,
    arguments json NOT NULL,
    interactive boolean DEFAULT false NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    correlation_id character varying(64) NOT NULL,
    batch_id character varying(32),
    state character varying(12) NOT NULL,
    step character varying(12) NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    losses integer DEFAULT 0 NOT NULL,
    agent_id character varying(63),
    not_before double precision,
    wall_time_s double precision,
    submitted_at double precision NOT NULL,
    assigned_at double precision,
    started_at double precision,
    finished_at double precision,
    cancel_requested_at double precision,
    cancel_reason text DEFAULT ''::text NOT NULL,
    output_dataset_id character varying(32),
    returncode integer,
    error_msg text DEFAULT ''::text NOT NULL,
    warnings json DEFAULT '[]'::json NOT NULL,
    timings_s json DEFAULT '{}'::json NOT NULL,
    peak_rss_bytes bigint,
    dead_letter boolean DEFAULT false NOT NULL,
    repeat_of character varying(32),
    force boolean DEFAULT false NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    done text DEFAULT ''::text NOT NULL,
    verdict text DEFAULT ''::text NOT NULL,
    remarks json DEFAULT '[]'::json NOT NULL
);



CREATE TABLE public.cif_index (
    data_file_id character varying(32) NOT NULL,
    indexed_at double precision NOT NULL,
    block text,
    formula_sum text,
    formula_moiety text,
    elements text,
    a double precision,
    b double precision,
    c double precision,
    alpha double precision,
    beta double precision,
    gamma double precision,
    volume double precision,
    niggli_a double precision,
    niggli_b double precision,
    niggli_c double precision,
    niggli_alpha double precision,
    niggli_beta double precision,
    niggli_gamma double precision,
    space_group_number integer,
    space_group_hm text,
    z integer,
    temperature_k double precision,
    wavelength double precision,
    r1 double precision,
    wr2 double precision,
    goof double precision,
    residual_max double precision,
    residual_min double precision,
    has_hkl boolean,
    has_res boolean,
    has_disorder boolean,
    has_hydrogens boolean,
    "full" json DEFAULT '{}'::json NOT NULL,
    names json
);



CREATE TABLE public.command_durations (
    command_id bigint NOT NULL,
    n integer NOT NULL,
    mean_s double precision NOT NULL,
    m2 double precision NOT NULL
);



CREATE TABLE public.commands (
    id bigint NOT NULL,
    application_id bigint NOT NULL,
    name character varying(255) NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    implemented_as character varying(40) NOT NULL,
    parameters json NOT NULL,
    merge_cif_su boolean DEFAULT false NOT NULL,
    doi text,
    hidden boolean DEFAULT false NOT NULL,
    retired_at double precision
);



CREATE SEQUENCE public.commands_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.commands_id_seq OWNED BY public.commands.id;



CREATE TABLE public.data_files (
    id character varying(32) NOT NULL,
    dataset_id character varying(32),
    owner_id bigint NOT NULL,
    group_id bigint,
    filename text NOT NULL,
    filetype character varying(40) DEFAULT 'unknown'::character varying NOT NULL,
    sha256 character varying(64) NOT NULL,
    unified_sha256 character varying(64),
    size bigint NOT NULL,
    calculation_id character varying(32),
    created_at double precision NOT NULL,
    deleted_at double precision,
    purged_at double precision
);



CREATE TABLE public.datasets (
    id character varying(32) NOT NULL,
    owner_id bigint NOT NULL,
    group_id bigint,
    kind character varying(12) DEFAULT 'data'::character varying NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    application_id bigint,
    calculation_id character varying(32),
    created_at double precision NOT NULL,
    changed_at double precision NOT NULL,
    deleted_at double precision,
    deleted_by integer
);



CREATE TABLE public.events (
    seq bigint NOT NULL,
    at double precision NOT NULL,
    kind character varying(24) NOT NULL,
    object_id character varying(64) NOT NULL,
    status character varying(12) DEFAULT ''::character varying NOT NULL,
    step character varying(12) DEFAULT ''::character varying NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    owner_id integer,
    group_id integer,
    payload json DEFAULT '{}'::json NOT NULL
);



CREATE SEQUENCE public.events_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.events_seq_seq OWNED BY public.events.seq;



CREATE TABLE public.file_contents (
    sha256 character varying(64) NOT NULL,
    size bigint NOT NULL,
    refcount integer DEFAULT 0 NOT NULL,
    state character varying(12) DEFAULT 'stored'::character varying NOT NULL,
    created_at double precision NOT NULL,
    checked_at double precision
);



CREATE TABLE public.groups (
    id bigint NOT NULL,
    name character varying(255) NOT NULL,
    created_at double precision NOT NULL,
    gone_at double precision
);



CREATE SEQUENCE public.groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.groups_id_seq OWNED BY public.groups.id;



CREATE TABLE public.handover_items (
    handover_id character varying(32) NOT NULL,
    kind character varying(12) NOT NULL,
    object_id character varying(32) NOT NULL,
    owner_id integer NOT NULL,
    group_id integer
);



CREATE TABLE public.handovers (
    id character varying(32) NOT NULL,
    at double precision NOT NULL,
    by_id bigint NOT NULL,
    subject character varying(8) NOT NULL,
    subject_id integer NOT NULL,
    decision character varying(12) NOT NULL,
    to_id integer,
    reason text DEFAULT ''::text NOT NULL,
    undone_at double precision
);



CREATE TABLE public.holds (
    kind character varying(12) NOT NULL,
    object_id character varying(63) NOT NULL,
    mode character varying(8) NOT NULL,
    reason text NOT NULL,
    by_id bigint,
    at double precision NOT NULL
);



CREATE TABLE public.idempotency (
    owner_id bigint NOT NULL,
    key character varying(255) NOT NULL,
    request_hash character varying(64) NOT NULL,
    answer json NOT NULL,
    at double precision NOT NULL
);



CREATE TABLE public.launchers (
    name character varying(63) NOT NULL,
    manager character varying(40) NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    capacity integer DEFAULT 0 NOT NULL,
    free integer,
    applications json DEFAULT '[]'::json NOT NULL,
    last_seen_at double precision NOT NULL,
    first_seen_at double precision NOT NULL
);



CREATE TABLE public.loads (
    subject character varying(8) NOT NULL,
    subject_id integer NOT NULL,
    application_id integer NOT NULL,
    queued integer DEFAULT 0 NOT NULL,
    running integer DEFAULT 0 NOT NULL
);



CREATE TABLE public.log_chunks (
    calculation_id character varying(32) NOT NULL,
    attempt integer NOT NULL,
    stream character varying(6) NOT NULL,
    "offset" bigint NOT NULL,
    size integer NOT NULL,
    at double precision NOT NULL,
    text text NOT NULL
);



CREATE TABLE public.people (
    id bigint NOT NULL,
    name character varying(255) NOT NULL,
    stable_id character varying(255) NOT NULL,
    kind character varying(20) DEFAULT 'person'::character varying NOT NULL,
    created_at double precision NOT NULL,
    last_seen_at double precision,
    last_group_id integer,
    gone_at double precision
);



CREATE SEQUENCE public.people_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.people_id_seq OWNED BY public.people.id;



CREATE TABLE public.progress (
    calculation_id character varying(32) NOT NULL,
    attempt integer NOT NULL,
    fraction double precision,
    text text DEFAULT ''::text NOT NULL,
    metrics json DEFAULT '{}'::json NOT NULL,
    history json DEFAULT '[]'::json NOT NULL,
    at double precision NOT NULL
);



CREATE TABLE public.quotas (
    subject character varying(16) NOT NULL,
    subject_id integer NOT NULL,
    quota character varying(20) NOT NULL,
    "limit" double precision NOT NULL,
    by_id bigint,
    at double precision NOT NULL
);



CREATE TABLE public.sessions (
    calculation_id character varying(32) NOT NULL,
    owner_id bigint NOT NULL,
    group_id integer,
    state character varying(16) NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    keep boolean,
    width integer,
    height integer,
    opened_at double precision,
    last_input_at double precision,
    warned_at double precision,
    closed_at double precision,
    view_only_allowed boolean DEFAULT false NOT NULL
);



CREATE TABLE public.shares (
    id character varying(32) NOT NULL,
    kind character varying(12) NOT NULL,
    object_id character varying(32) NOT NULL,
    person_id bigint,
    group_id bigint,
    mode character varying(8) NOT NULL,
    by_id bigint NOT NULL,
    at double precision NOT NULL,
    expires_at double precision,
    revoked_at double precision
);



CREATE TABLE public.site (
    key character varying(60) NOT NULL,
    value json NOT NULL
);



CREATE TABLE public.storage (
    subject character varying(8) NOT NULL,
    subject_id integer NOT NULL,
    bytes bigint DEFAULT '0'::bigint NOT NULL
);



CREATE TABLE public.tags (
    kind character varying(12) NOT NULL,
    object_id character varying(32) NOT NULL,
    tag character varying(100) NOT NULL,
    by_id bigint NOT NULL,
    at double precision NOT NULL
);



CREATE TABLE public.uploads (
    id character varying(32) NOT NULL,
    purpose character varying(12) NOT NULL,
    owner_id bigint,
    filename text NOT NULL,
    size bigint,
    "offset" bigint DEFAULT '0'::bigint NOT NULL,
    sha256 character varying(64),
    target_id character varying(32),
    group_id integer,
    calculation_id character varying(32),
    attempt integer,
    output_name character varying(255) DEFAULT ''::character varying NOT NULL,
    state character varying(12) DEFAULT 'open'::character varying NOT NULL,
    result json,
    created_at double precision NOT NULL,
    changed_at double precision NOT NULL
);



CREATE TABLE public.usage (
    subject character varying(8) NOT NULL,
    subject_id integer NOT NULL,
    decayed_s double precision NOT NULL,
    decayed_at double precision NOT NULL,
    cpu_s double precision DEFAULT '0'::double precision NOT NULL,
    month character varying(7) DEFAULT ''::character varying NOT NULL
);



ALTER TABLE ONLY public.applications ALTER COLUMN id SET DEFAULT nextval('public.applications_id_seq'::regclass);



ALTER TABLE ONLY public.audit ALTER COLUMN seq SET DEFAULT nextval('public.audit_seq_seq'::regclass);



ALTER TABLE ONLY public.commands ALTER COLUMN id SET DEFAULT nextval('public.commands_id_seq'::regclass);



ALTER TABLE ONLY public.events ALTER COLUMN seq SET DEFAULT nextval('public.events_seq_seq'::regclass);



ALTER TABLE ONLY public.groups ALTER COLUMN id SET DEFAULT nextval('public.groups_id_seq'::regclass);



ALTER TABLE ONLY public.people ALTER COLUMN id SET DEFAULT nextval('public.people_id_seq'::regclass);



INSERT INTO public.agents VALUES ('practice-c8f79315a9', 1, 'local', 'idle', NULL, NULL, 2, NULL, NULL, '', 5696, '', '', '[]', NULL, 1795939163.7599783, 1795939163.8153336, 1795939164.8867714, 1795939164.8867714, NULL, NULL, '');



INSERT INTO public.alembic_version VALUES ('0003');



INSERT INTO public.applications VALUES (1, 'practice', '1', 'Practice', 'Does no science.', NULL, NULL, NULL, '/tmp/tmp36127x86/application/application.yaml', NULL, '0.1.0', '{"name": "Practice", "slug": "practice", "version": "1", "description": "Does no science.", "url": null, "email": null, "doi": [], "commands": [{"name": "noop", "implemented_as": "python_callable", "description": "Nothing at all.", "title": null, "doi": [], "parameters": [{"name": "x", "dtype": "int", "description": null, "default": 0, "has_default": true, "required": null, "valid_value": {"numeric_range": [0.0, 10.0], "choices": null, "regex": null}, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 13}, {"name": "mode", "dtype": "str", "description": null, "default": "gentle", "has_default": true, "required": null, "valid_value": {"numeric_range": null, "choices": ["gentle", "hard"], "regex": null}, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 14}], "outputs": [], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "noop", "description": "Nothing at all.", "uses": null, "line": 8}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 8}, {"name": "sleep", "implemented_as": "python_callable", "description": null, "title": null, "doi": [], "parameters": [{"name": "seconds", "dtype": "float", "description": null, "default": 1.0, "has_default": true, "required": null, "valid_value": null, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 18}], "outputs": [], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "sleep", "description": null, "uses": null, "line": 15}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 15}, {"name": "fail", "implemented_as": "python_callable", "description": null, "title": null, "doi": [], "parameters": [], "outputs": [], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "fail", "description": null, "uses": null, "line": 19}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 19}, {"name": "read", "implemented_as": "python_callable", "description": null, "title": null, "doi": [], "parameters": [{"name": "structure", "dtype": "QCrBox.cif_data_file", "description": null, "default": null, "has_default": false, "required": null, "valid_value": null, "cif": {"required_entries": ["_cell_length_a"], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified"}, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 27}, {"name": "table", "dtype": "QCrBox.data_file", "description": null, "default": null, "has_default": false, "required": false, "valid_value": null, "cif": null, "cif_output": null, "companion": ["*.hkl"], "older_names": [], "secondary": false, "line": 28}], "outputs": [{"name": "written", "dtype": "QCrBox.output_cif", "description": null, "filename": "new.cif", "required_output": false, "missing_is_warning": false, "from_parameter": false, "older_names": [], "cif": {"required_entries": [], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified", "invalidated_entries": [], "invalidated_entry_sets": [], "output_block": "0"}, "line": 30}], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "read", "description": null, "uses": null, "line": 23}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 23}, {"name": "interactive_session", "implemented_as": "interactive_session", "description": null, "title": null, "doi": [], "parameters": [{"name": "note", "dtype": "str", "description": null, "default": "x", "has_default": true, "required": null, "valid_value": null, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 33}], "outputs": [], "merge_cif_su": false, "call": null, "lifecycle": {"prepare": null, "run": {"implemented_as": "cli_command", "call_pattern": "sleep 100", "import_path": null, "callable_name": null, "description": null, "uses": [], "line": 35}, "finalise": null}, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 31}], "cif_entry_sets": [], "older_versions": ["0.9"], "reuse": "same-owner", "notes": ["line 2: qcrbox_yaml_spec_version is missing; the oldest files have none"], "left_out": []}', '4949883e0a2d89ff9a5f910491a027db0f9a33db12e07881ff51d4c6e0bd0007', '["line 2: qcrbox_yaml_spec_version is missing; the oldest files have none"]', 'same-owner', '{}', 0, NULL, true, NULL, NULL, 1795939161.2067466, 1795939161.2067466);



INSERT INTO public.audit VALUES (1, 1795939163.4941113, 2, 'ada', '127.0.0.1', 'upload', 'dataset', 'qcrbox_ds_0x01a22650dd5c00000613eeeec340a6a7', true, '{"name": "quartz"}', '0000000000000000000000000000000000000000000000000000000000000000', '72119fefa8262da8a50fb625a428aa72158bef1f6e884420c21f91628620853f');
INSERT INTO public.audit VALUES (2, 1795939163.6130521, 2, 'ada', '127.0.0.1', 'change', 'dataset', 'qcrbox_ds_0x01a22650dd5c00000613eeeec340a6a7', true, '{"fields": ["tags"]}', '72119fefa8262da8a50fb625a428aa72158bef1f6e884420c21f91628620853f', '689c1cce3b5aa620aba0d036a608d7b6e40a589025f3baa1131b2f5b7ce715e6');
INSERT INTO public.audit VALUES (3, 1795939163.7108145, 2, 'ada', '127.0.0.1', 'submit', 'calculation', '01a22650de3e0000803dcf46d12a0e09', true, '{"command": "practice 1 read", "calculations": 1}', '689c1cce3b5aa620aba0d036a608d7b6e40a589025f3baa1131b2f5b7ce715e6', '84d94d89d57d2e4ebc3080a091a052f233883636d787f5ed0c9b8097c7cbb4a2');
INSERT INTO public.audit VALUES (4, 1795939163.9231727, 2, 'ada', '127.0.0.1', 'submit', 'calculation', '01a22650df120000bce7cd5c128b4e95', true, '{"command": "practice 1 fail", "calculations": 1}', '84d94d89d57d2e4ebc3080a091a052f233883636d787f5ed0c9b8097c7cbb4a2', '25b355365e066ecbba9a5e8e761011c3ec0ce5d6298ff787f87790aedb22bf7f');
INSERT INTO public.audit VALUES (5, 1795939164.03872, 2, 'ada', '127.0.0.1', 'submit', 'calculation', '01a22650df860000e468a94fa0a5a9dc', true, '{"command": "practice 1 noop", "calculations": 1}', '25b355365e066ecbba9a5e8e761011c3ec0ce5d6298ff787f87790aedb22bf7f', 'c549a8bcf041e5fd97aea3ca4d81846813285b386213b46634505ee968326392');
INSERT INTO public.audit VALUES (6, 1795939164.1991582, 2, 'ada', '127.0.0.1', 'upload', 'dataset', 'qcrbox_ds_0x01a22650e0260000c3f713e64ee1cd0b', true, '{"name": "gone.cif"}', 'c549a8bcf041e5fd97aea3ca4d81846813285b386213b46634505ee968326392', 'f1e3203079a6e14d4e7205252c7ae8fb0f7d39fe04e5762e5d614ed25b18c154');
INSERT INTO public.audit VALUES (7, 1795939164.3176117, 2, 'ada', '127.0.0.1', 'delete', 'dataset', 'qcrbox_ds_0x01a22650e0260000c3f713e64ee1cd0b', true, '{"name": "gone.cif"}', 'f1e3203079a6e14d4e7205252c7ae8fb0f7d39fe04e5762e5d614ed25b18c154', '749915f101aeaf48b3862592eb796c595dfb16e025f33aeb43a7fa1e919aabbb');
INSERT INTO public.audit VALUES (8, 1795939164.3819053, 2, 'ada', '127.0.0.1', 'upload', 'data_file', 'qcrbox_df_0x01a22650e0d800007bc3935f59173c91', true, '{"name": "lone.hkl"}', '749915f101aeaf48b3862592eb796c595dfb16e025f33aeb43a7fa1e919aabbb', '4bb4edafe5b62cf4605f58da6501be5253b2a301d871a1b84571b702e9c71f79');
INSERT INTO public.audit VALUES (9, 1795939164.4392688, 2, 'ada', '127.0.0.1', 'share', 'dataset', 'qcrbox_ds_0x01a22650dd5c00000613eeeec340a6a7', true, '{"to": "person bob", "mode": "read"}', '4bb4edafe5b62cf4605f58da6501be5253b2a301d871a1b84571b702e9c71f79', 'a1b49bc8da36d7ed32bc82d5f3e3409383f7b3dfbae5a07ee02b825371069e19');
INSERT INTO public.audit VALUES (10, 1795939164.5513203, 2, 'ada', '127.0.0.1', 'submit', 'calculation', '01a22650e18600009b5ba04da25755e2', true, '{"command": "practice 1 interactive_session", "calculations": 1}', 'a1b49bc8da36d7ed32bc82d5f3e3409383f7b3dfbae5a07ee02b825371069e19', '148bde20c0ade7f5fc453e583eb791bc82c1e68978468bd92316814882f20f35');
INSERT INTO public.audit VALUES (11, 1795939164.6371768, 2, 'ada', '127.0.0.1', 'end session', 'session', '01a22650e18600009b5ba04da25755e2', true, '{"keep": true}', '148bde20c0ade7f5fc453e583eb791bc82c1e68978468bd92316814882f20f35', 'e6f82d3df7d13dcbb2ac3a589d862848a3778781263baf4dffe9403a1923843c');
INSERT INTO public.audit VALUES (12, 1795939164.7519333, 3, 'root', '127.0.0.1', 'set quota', 'person', 'bob', true, '{"quota": "gib", "limit": 2.0}', 'e6f82d3df7d13dcbb2ac3a589d862848a3778781263baf4dffe9403a1923843c', 'fca02872d550ee6e2d17b5e1e9884831d8a4c4f6c8048717358c7e25aba94eb0');
INSERT INTO public.audit VALUES (13, 1795939164.8105357, 3, 'root', '127.0.0.1', 'hold', 'application', '1', true, '{"mode": "hold", "reason": "Licence"}', 'fca02872d550ee6e2d17b5e1e9884831d8a4c4f6c8048717358c7e25aba94eb0', '0b4bba00be48d129f7a6fd3bcb1369d787ba741681e1ffc9da016605c23082a5');
INSERT INTO public.audit VALUES (14, 1795939164.867415, 1, 'bob', '127.0.0.1', 'submit', 'calculation', '01a22650e2c200019010c48afd61c79a', true, '{"command": "practice 1 noop", "calculations": 1}', '0b4bba00be48d129f7a6fd3bcb1369d787ba741681e1ffc9da016605c23082a5', 'a25731bf9dd1331bdf747c47eb4cf26f6428a10790f3774ac2502194bb500db4');
INSERT INTO public.audit VALUES (15, 1795939164.8753915, 2, 'ada', '127.0.0.1', 'submit', 'calculation', '01a22650e2ca0001a3938320e06d2998', true, '{"command": "practice 1 read", "calculations": 1}', 'a25731bf9dd1331bdf747c47eb4cf26f6428a10790f3774ac2502194bb500db4', '52d9ab12f89d43708462ccc06d89ba094cfc81b40b6ba89a5e0d5c4fd68f068b');



INSERT INTO public.calculation_inputs VALUES ('01a22650de3e0000803dcf46d12a0e09', 'structure', '01a22650dd5c0001ca056915d6dcb54f');
INSERT INTO public.calculation_inputs VALUES ('01a22650e2ca0001a3938320e06d2998', 'structure', '01a22650dd5c0001ca056915d6dcb54f');



INSERT INTO public.calculation_outputs VALUES ('01a22650e2ca0001a3938320e06d2998', 0, 'refined', '01a22650e3ea00013d87a655cc6fc7b3', true);



INSERT INTO public.calculations VALUES ('01a22650de3e0000803dcf46d12a0e09', 2, 1, 1, 4, 'practice', '1', 'read', '{"structure": {"data_file_id": "qcrbox_df_0x01a22650dd5c0001ca056915d6dcb54f"}, "table": null}', false, '', '01a22650de3d0000b910f5924e11e650', NULL, 'successful', 'done', 0, 1, 0, 'practice-c8f79315a9', NULL, NULL, 1795939163.7108145, 1795939163.8231535, 1795939163.8491354, 1795939163.8540995, NULL, '', NULL, NULL, '', '[]', '{}', NULL, false, NULL, false, 'quartz', 'read', '', '[]');
INSERT INTO public.calculations VALUES ('01a22650df120000bce7cd5c128b4e95', 2, 1, 1, 3, 'practice', '1', 'fail', '{}', false, '', '01a22650df11000046e9eefbf70d248c', NULL, 'failed', 'done', 0, 1, 0, 'practice-c8f79315a9', NULL, NULL, 1795939163.9231727, 1795939163.9303784, 1795939163.934473, 1795939163.938929, NULL, '', NULL, NULL, 'The program failed.
about to fail', '[]', '{}', NULL, false, NULL, false, '', 'fail', '', '[]');
INSERT INTO public.calculations VALUES ('01a22650df860000e468a94fa0a5a9dc', 2, 1, 1, 1, 'practice', '1', 'noop', '{"x": 3, "mode": "gentle"}', false, '', '01a22650df850000dfdd825feb366e77', NULL, 'successful', 'done', 0, 1, 0, 'practice-c8f79315a9', NULL, NULL, 1795939164.03872, 1795939164.046065, 1795939164.0557337, 1795939164.057042, NULL, '', NULL, NULL, '', '[]', '{}', NULL, false, NULL, false, '', 'noop', '', '[]');
INSERT INTO public.calculations VALUES ('01a22650e18600009b5ba04da25755e2', 2, 1, 1, 5, 'practice', '1', 'interactive_session', '{"note": "x"}', true, '', '01a22650e185000012284ebf89682b24', NULL, 'successful', 'done', 0, 1, 0, 'practice-c8f79315a9', NULL, NULL, 1795939164.5513203, 1795939164.576985, 1795939164.595762, 1795939164.631423, NULL, '', NULL, NULL, '', '[]', '{}', NULL, false, NULL, false, '', 'interactive session', '', '[]');
INSERT INTO public.calculations VALUES ('01a22650e2c200019010c48afd61c79a', 1, NULL, 1, 1, 'practice', '1', 'noop', '{"x": 1, "mode": "gentle"}', false, '', '01a22650e2c20000fcdaf0d4ce5d1a66', NULL, 'submitted', 'queued', 0, 0, 0, NULL, NULL, NULL, 1795939164.867415, NULL, NULL, NULL, NULL, '', NULL, NULL, '', '[]', '{}', NULL, false, NULL, false, '', 'noop', '', '[]');
INSERT INTO public.calculations VALUES ('01a22650e2ca0001a3938320e06d2998', 2, 1, 1, 4, 'practice', '1', 'read', '{"structure": {"data_file_id": "qcrbox_df_0x01a22650dd5c0001ca056915d6dcb54f"}, "table": null}', false, '', '01a22650e2ca00008cab57f2c706c6b3', NULL, 'successful', 'done', 0, 1, 0, 'agent-of-the-dump', NULL, NULL, 1795939164.8753915, 1795939164.9134853, 1795939164.9134853, 1795939165.1572838, NULL, '', '01a22650e3ea00003237fe8236b64d73', NULL, '', '[]', '{}', NULL, false, NULL, false, 'quartz', 'read', 'R1 0.0200', '[]');



INSERT INTO public.cif_index VALUES ('01a22650dd5c0001ca056915d6dcb54f', 1795939163.4941113, 'quartz', 'O2 Si', NULL, '|O|Si|', 4.9134, 4.9134, 5.4052, 90, 90, 120, 113.00733747372149, 4.9134, 4.913399999999999, 5.4052, 90, 90, 119.99999999999999, 154, 'P 32 2 1', NULL, NULL, NULL, 0.021, NULL, NULL, NULL, NULL, false, false, false, false, '{"filename": "quartz.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.021, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}', '["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]');
INSERT INTO public.cif_index VALUES ('01a22650e02600012e6846513f1ba8fc', 1795939164.1991582, 'quartz', 'O2 Si', NULL, '|O|Si|', 4.9134, 4.9134, 5.4052, 90, 90, 120, 113.00733747372149, 4.9134, 4.913399999999999, 5.4052, 90, 90, 119.99999999999999, 154, 'P 32 2 1', NULL, NULL, NULL, 0.021, NULL, NULL, NULL, NULL, false, false, false, false, '{"filename": "gone.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.021, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}', '["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]');
INSERT INTO public.cif_index VALUES ('01a22650e3ea00013d87a655cc6fc7b3', 1795939165.1572838, 'quartz', 'O2 Si', NULL, '|O|Si|', 4.9134, 4.9134, 5.4052, 90, 90, 120, 113.00733747372149, 4.9134, 4.913399999999999, 5.4052, 90, 90, 119.99999999999999, 154, 'P 32 2 1', NULL, NULL, NULL, 0.02, NULL, NULL, NULL, NULL, false, false, false, false, '{"filename": "refined.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.02, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}', '["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]');



INSERT INTO public.command_durations VALUES (1, 1, 0.0013082027435302734, 0);
INSERT INTO public.command_durations VALUES (4, 2, 0.12438130378723145, 0.02852093079854967);



INSERT INTO public.commands VALUES (1, 1, 'noop', 'Nothing at all.', 'python_callable', '{"x": {"name": "x", "dtype": "int", "description": null, "default_value": 0, "required": false, "valid_value": {"numeric_range": [0.0, 10.0]}}, "mode": {"name": "mode", "dtype": "str", "description": null, "default_value": "gentle", "required": false, "valid_value": {"choices": ["gentle", "hard"]}}}', false, NULL, false, NULL);
INSERT INTO public.commands VALUES (2, 1, 'sleep', '', 'python_callable', '{"seconds": {"name": "seconds", "dtype": "float", "description": null, "default_value": 1.0, "required": false, "valid_value": null}}', false, NULL, false, NULL);
INSERT INTO public.commands VALUES (3, 1, 'fail', '', 'python_callable', '{}', false, NULL, false, NULL);
INSERT INTO public.commands VALUES (4, 1, 'read', '', 'python_callable', '{"structure": {"name": "structure", "dtype": "QCrBox.cif_data_file", "description": null, "default_value": null, "required": true, "valid_value": null, "required_entries": ["_cell_length_a"], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified", "takes": {"endings": [".cif"], "atoms": false}}, "table": {"name": "table", "dtype": "QCrBox.data_file", "description": null, "default_value": null, "required": false, "valid_value": null, "companion": ["*.hkl"], "takes": {"endings": [".hkl"], "atoms": false}}, "written": {"name": "written", "dtype": "QCrBox.output_cif", "description": null, "default_value": "new.cif", "required": false, "valid_value": null, "is_output": true, "required_entries": [], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified", "invalidated_entries": [], "invalidated_entry_sets": [], "output_block": "0"}}', false, NULL, false, NULL);
INSERT INTO public.commands VALUES (5, 1, 'interactive_session', '', 'interactive_session', '{"note": {"name": "note", "dtype": "str", "description": null, "default_value": "x", "required": false, "valid_value": null}}', false, NULL, false, NULL);



INSERT INTO public.data_files VALUES ('01a22650dd5c0001ca056915d6dcb54f', '01a22650dd5c00000613eeeec340a6a7', 2, 1, 'quartz.cif', 'cif', '26ead4525130be0f0dc62e4a5ca59b1451af64b726098d81a575b201d1478bda', NULL, 384, NULL, 1795939163.4941113, NULL, NULL);
INSERT INTO public.data_files VALUES ('01a22650e02600012e6846513f1ba8fc', '01a22650e0260000c3f713e64ee1cd0b', 2, 1, 'gone.cif', 'cif', '0f46d401bb0438a025b285c08cb8059d7b6fffb797071c37fd6c1c9fb188e220', NULL, 394, NULL, 1795939164.1991582, 1795939164.3176117, NULL);
INSERT INTO public.data_files VALUES ('01a22650e0d800007bc3935f59173c91', NULL, 2, 1, 'lone.hkl', 'hkl', 'ebca8bc1edc0d7f5a5de38d98db7cab9918eb0403e13b2f185c70316e0a3aa15', NULL, 29, NULL, 1795939164.3819053, NULL, NULL);
INSERT INTO public.data_files VALUES ('01a22650e3ea00013d87a655cc6fc7b3', '01a22650e3ea00003237fe8236b64d73', 2, 1, 'refined.cif', 'cif', '057508d50b7ed132247308653fb298b2bef9c34e5f14a4b709d0e59824649453', NULL, 384, '01a22650e2ca0001a3938320e06d2998', 1795939165.1572838, NULL, NULL);



INSERT INTO public.datasets VALUES ('01a22650dd5c00000613eeeec340a6a7', 2, 1, 'data', 'quartz', 'α-SiO2', NULL, NULL, 1795939163.4941113, 1795939163.4941113, NULL, NULL);
INSERT INTO public.datasets VALUES ('01a22650e0260000c3f713e64ee1cd0b', 2, 1, 'data', 'gone.cif', '', NULL, NULL, 1795939164.1991582, 1795939164.1991582, 1795939164.3176117, 2);
INSERT INTO public.datasets VALUES ('01a22650e3ea00003237fe8236b64d73', 2, 1, 'output', 'quartz · read · R1 0.0200', '', NULL, '01a22650e2ca0001a3938320e06d2998', 1795939165.1572838, 1795939165.1572838, NULL, NULL);



INSERT INTO public.events VALUES (1, 1795939161.2067466, 'application', '1', 'registered', '', 0, NULL, NULL, '{}');
INSERT INTO public.events VALUES (2, 1795939163.4941113, 'dataset', '01a22650dd5c00000613eeeec340a6a7', 'created', '', 0, 2, 1, '{}');
INSERT INTO public.events VALUES (3, 1795939163.6130521, 'dataset', '01a22650dd5c00000613eeeec340a6a7', 'changed', '', 0, 2, 1, '{}');
INSERT INTO public.events VALUES (4, 1795939163.7108145, 'calculation', '01a22650de3e0000803dcf46d12a0e09', 'submitted', 'queued', 0, 2, 1, '{"command": "read", "application": "practice"}');
INSERT INTO public.events VALUES (5, 1795939163.8491354, 'calculation', '01a22650de3e0000803dcf46d12a0e09', 'running', 'running', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (6, 1795939163.8540995, 'calculation', '01a22650de3e0000803dcf46d12a0e09', 'successful', 'done', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (7, 1795939163.9231727, 'calculation', '01a22650df120000bce7cd5c128b4e95', 'submitted', 'queued', 0, 2, 1, '{"command": "fail", "application": "practice"}');
INSERT INTO public.events VALUES (8, 1795939163.934473, 'calculation', '01a22650df120000bce7cd5c128b4e95', 'running', 'running', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (9, 1795939163.938929, 'calculation', '01a22650df120000bce7cd5c128b4e95', 'failed', 'done', 1, 2, 1, '{"error_msg": "The program failed.\nabout to fail"}');
INSERT INTO public.events VALUES (10, 1795939164.03872, 'calculation', '01a22650df860000e468a94fa0a5a9dc', 'submitted', 'queued', 0, 2, 1, '{"command": "noop", "application": "practice"}');
INSERT INTO public.events VALUES (11, 1795939164.0557337, 'calculation', '01a22650df860000e468a94fa0a5a9dc', 'running', 'running', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (12, 1795939164.057042, 'calculation', '01a22650df860000e468a94fa0a5a9dc', 'successful', 'done', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (13, 1795939164.1991582, 'dataset', '01a22650e0260000c3f713e64ee1cd0b', 'created', '', 0, 2, 1, '{}');
INSERT INTO public.events VALUES (14, 1795939164.3176117, 'dataset', '01a22650e0260000c3f713e64ee1cd0b', 'deleted', '', 0, 2, 1, '{}');
INSERT INTO public.events VALUES (15, 1795939164.3819053, 'data_file', '01a22650e0d800007bc3935f59173c91', 'created', '', 0, 2, 1, '{}');
INSERT INTO public.events VALUES (16, 1795939164.4392688, 'share', '01a22650dd5c00000613eeeec340a6a7', 'shared', '', 0, 2, 1, '{"of": "dataset"}');
INSERT INTO public.events VALUES (17, 1795939164.5513203, 'calculation', '01a22650e18600009b5ba04da25755e2', 'submitted', 'queued', 0, 2, 1, '{"command": "interactive_session", "application": "practice"}');
INSERT INTO public.events VALUES (18, 1795939164.5513203, 'session', '01a22650e18600009b5ba04da25755e2', 'starting', '', 0, 2, 1, '{"application": "practice"}');
INSERT INTO public.events VALUES (19, 1795939164.595762, 'calculation', '01a22650e18600009b5ba04da25755e2', 'running', 'running', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (20, 1795939164.631423, 'calculation', '01a22650e18600009b5ba04da25755e2', 'successful', 'done', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (21, 1795939164.6371768, 'session', '01a22650e18600009b5ba04da25755e2', 'finalising', '', 1, 2, 1, '{"keep": true, "reason": "Ended by ada."}');
INSERT INTO public.events VALUES (22, 1795939164.867415, 'calculation', '01a22650e2c200019010c48afd61c79a', 'submitted', 'queued', 0, 1, NULL, '{"command": "noop", "application": "practice"}');
INSERT INTO public.events VALUES (23, 1795939164.8753915, 'calculation', '01a22650e2ca0001a3938320e06d2998', 'submitted', 'queued', 0, 2, 1, '{"command": "read", "application": "practice"}');
INSERT INTO public.events VALUES (24, 1795939164.9134853, 'calculation', '01a22650e2ca0001a3938320e06d2998', 'running', 'running', 1, 2, 1, '{}');
INSERT INTO public.events VALUES (25, 1795939165.1572838, 'calculation', '01a22650e2ca0001a3938320e06d2998', 'successful', 'done', 1, 2, 1, '{"output_dataset_id": "qcrbox_ds_0x01a22650e3ea00003237fe8236b64d73"}');



INSERT INTO public.file_contents VALUES ('26ead4525130be0f0dc62e4a5ca59b1451af64b726098d81a575b201d1478bda', 384, 1, 'stored', 1795939163.4941113, NULL);
INSERT INTO public.file_contents VALUES ('0f46d401bb0438a025b285c08cb8059d7b6fffb797071c37fd6c1c9fb188e220', 394, 1, 'stored', 1795939164.1991582, NULL);
INSERT INTO public.file_contents VALUES ('ebca8bc1edc0d7f5a5de38d98db7cab9918eb0403e13b2f185c70316e0a3aa15', 29, 1, 'stored', 1795939164.3819053, NULL);
INSERT INTO public.file_contents VALUES ('057508d50b7ed132247308653fb298b2bef9c34e5f14a4b709d0e59824649453', 384, 1, 'stored', 1795939165.1572838, NULL);



INSERT INTO public.groups VALUES (1, 'crystals', 1795939162.0344427, NULL);









INSERT INTO public.holds VALUES ('application', '1', 'hold', 'Licence', 3, 1795939164.8105357);






INSERT INTO public.launchers VALUES ('local', 'practice', '', 4, 4, '[{"slug": "practice", "version": "1"}]', 1795939161.3429842, 1795939161.3429842);



INSERT INTO public.loads VALUES ('person', 1, 1, 1, 0);
INSERT INTO public.loads VALUES ('group', 1, 1, 0, 0);
INSERT INTO public.loads VALUES ('person', 2, 1, 0, 0);



INSERT INTO public.log_chunks VALUES ('01a22650df120000bce7cd5c128b4e95', 1, 'stderr', 0, 14, 1795939163.9350135, 'about to fail
');



INSERT INTO public.people VALUES (1, 'bob', '2026-01-01T00:00:00Z', 'person', 1795939161.9097567, 1795939161.9097567, NULL, NULL);
INSERT INTO public.people VALUES (2, 'ada', '2026-01-01T00:00:00Z', 'person', 1795939162.0305493, 1795939162.0305493, 1, NULL);
INSERT INTO public.people VALUES (3, 'root', '2026-01-01T00:00:00Z', 'person', 1795939164.749482, 1795939164.749482, NULL, NULL);






INSERT INTO public.quotas VALUES ('person', 1, 'gib', 2, 3, 1795939164.7519333);



INSERT INTO public.sessions VALUES ('01a22650e18600009b5ba04da25755e2', 2, 1, 'closed', '', NULL, NULL, NULL, NULL, NULL, NULL, 1795939164.631423, false);



INSERT INTO public.shares VALUES ('01a22650e11d00001180d9e1754fe977', 'dataset', '01a22650dd5c00000613eeeec340a6a7', 1, NULL, 'read', 2, 1795939164.4392688, NULL, NULL);






INSERT INTO public.storage VALUES ('person', 2, 797);
INSERT INTO public.storage VALUES ('group', 1, 797);



INSERT INTO public.tags VALUES ('dataset', '01a22650dd5c00000613eeeec340a6a7', 'good', 2, 1795939163.6130521);



INSERT INTO public.uploads VALUES ('01a22650e15200000673533fda47fa4c', 'dataset', 2, 'half.bin', 10, 0, NULL, NULL, 1, NULL, NULL, '', 'open', '{"about": {"name": "", "description": ""}}', 1795939164.4981785, 1795939164.4981785);
INSERT INTO public.uploads VALUES ('01a22650e3e10000b409f07f9e95e869', 'output', 2, 'refined.cif', 384, 384, '057508d50b7ed132247308653fb298b2bef9c34e5f14a4b709d0e59824649453', NULL, NULL, '01a22650e2ca0001a3938320e06d2998', 1, 'refined', 'used', '{"index": {"block": "quartz", "formula_sum": "O2 Si", "formula_moiety": null, "elements": "|O|Si|", "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "z": null, "temperature_k": null, "wavelength": null, "r1": 0.02, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "full": {"filename": "refined.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.02, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}, "names": ["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]}}', 1795939165.1523848, 1795939165.1572838);



INSERT INTO public.usage VALUES ('group', 1, 0.006712302958683047, 1795939165.332993, 0.0067596435546875, '2026-11');
INSERT INTO public.usage VALUES ('person', 2, 0.006712302958683047, 1795939165.332993, 0.0067596435546875, '2026-11');



SELECT pg_catalog.setval('public.applications_id_seq', 1, true);



SELECT pg_catalog.setval('public.audit_seq_seq', 15, true);



SELECT pg_catalog.setval('public.commands_id_seq', 5, true);



SELECT pg_catalog.setval('public.events_seq_seq', 25, true);



SELECT pg_catalog.setval('public.groups_id_seq', 1, true);



SELECT pg_catalog.setval('public.people_id_seq', 3, true);



ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);



ALTER TABLE ONLY public.agents
    ADD CONSTRAINT pk_agents PRIMARY KEY (id);



ALTER TABLE ONLY public.applications
    ADD CONSTRAINT pk_applications PRIMARY KEY (id);



ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (seq);



ALTER TABLE ONLY public.calculation_inputs
    ADD CONSTRAINT pk_calculation_inputs PRIMARY KEY (calculation_id, parameter);



ALTER TABLE ONLY public.calculation_outputs
    ADD CONSTRAINT pk_calculation_outputs PRIMARY KEY (calculation_id, "position");



ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT pk_calculations PRIMARY KEY (id);



ALTER TABLE ONLY public.cif_index
    ADD CONSTRAINT pk_cif_index PRIMARY KEY (data_file_id);



ALTER TABLE ONLY public.command_durations
    ADD CONSTRAINT pk_command_durations PRIMARY KEY (command_id);



ALTER TABLE ONLY public.commands
    ADD CONSTRAINT pk_commands PRIMARY KEY (id);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT pk_data_files PRIMARY KEY (id);



ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT pk_datasets PRIMARY KEY (id);



ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (seq);



ALTER TABLE ONLY public.file_contents
    ADD CONSTRAINT pk_file_contents PRIMARY KEY (sha256);



ALTER TABLE ONLY public.groups
    ADD CONSTRAINT pk_groups PRIMARY KEY (id);



ALTER TABLE ONLY public.handover_items
    ADD CONSTRAINT pk_handover_items PRIMARY KEY (handover_id, kind, object_id);



ALTER TABLE ONLY public.handovers
    ADD CONSTRAINT pk_handovers PRIMARY KEY (id);



ALTER TABLE ONLY public.holds
    ADD CONSTRAINT pk_holds PRIMARY KEY (kind, object_id);



ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT pk_idempotency PRIMARY KEY (owner_id, key);



ALTER TABLE ONLY public.launchers
    ADD CONSTRAINT pk_launchers PRIMARY KEY (name);



ALTER TABLE ONLY public.loads
    ADD CONSTRAINT pk_loads PRIMARY KEY (subject, subject_id, application_id);



ALTER TABLE ONLY public.log_chunks
    ADD CONSTRAINT pk_log_chunks PRIMARY KEY (calculation_id, attempt, stream, "offset");



ALTER TABLE ONLY public.people
    ADD CONSTRAINT pk_people PRIMARY KEY (id);



ALTER TABLE ONLY public.progress
    ADD CONSTRAINT pk_progress PRIMARY KEY (calculation_id);



ALTER TABLE ONLY public.quotas
    ADD CONSTRAINT pk_quotas PRIMARY KEY (subject, subject_id, quota);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (calculation_id);



ALTER TABLE ONLY public.shares
    ADD CONSTRAINT pk_shares PRIMARY KEY (id);



ALTER TABLE ONLY public.site
    ADD CONSTRAINT pk_site PRIMARY KEY (key);



ALTER TABLE ONLY public.storage
    ADD CONSTRAINT pk_storage PRIMARY KEY (subject, subject_id);



ALTER TABLE ONLY public.tags
    ADD CONSTRAINT pk_tags PRIMARY KEY (kind, object_id, tag);



ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT pk_uploads PRIMARY KEY (id);



ALTER TABLE ONLY public.usage
    ADD CONSTRAINT pk_usage PRIMARY KEY (subject, subject_id);



ALTER TABLE ONLY public.applications
    ADD CONSTRAINT uq_applications_slug_version UNIQUE (slug, version);



ALTER TABLE ONLY public.calculation_outputs
    ADD CONSTRAINT uq_calculation_outputs_data_file_id UNIQUE (data_file_id);



ALTER TABLE ONLY public.commands
    ADD CONSTRAINT uq_commands_application_id_name UNIQUE (application_id, name);



ALTER TABLE ONLY public.groups
    ADD CONSTRAINT uq_groups_name UNIQUE (name);



ALTER TABLE ONLY public.people
    ADD CONSTRAINT uq_people_name_stable_id UNIQUE (name, stable_id);



CREATE INDEX ix_agents_application_id ON public.agents USING btree (application_id);



CREATE INDEX ix_agents_state ON public.agents USING btree (state);



CREATE INDEX ix_audit_object ON public.audit USING btree (object_id);



CREATE INDEX ix_audit_who ON public.audit USING btree (who_id, seq);



CREATE INDEX ix_calculation_inputs_data_file_id ON public.calculation_inputs USING btree (data_file_id);



CREATE INDEX ix_calculations_active ON public.calculations USING btree (agent_id) WHERE ((agent_id IS NOT NULL) AND (finished_at IS NULL));



CREATE INDEX ix_calculations_batch ON public.calculations USING btree (batch_id) WHERE (batch_id IS NOT NULL);



CREATE INDEX ix_calculations_group ON public.calculations USING btree (group_id, id) WHERE (group_id IS NOT NULL);



CREATE INDEX ix_calculations_owner ON public.calculations USING btree (owner_id, id);



CREATE INDEX ix_calculations_queue ON public.calculations USING btree (owner_id, application_id, priority DESC, id) WHERE (((state)::text = 'submitted'::text) AND (agent_id IS NULL));



CREATE INDEX ix_cif_index_formula_sum ON public.cif_index USING btree (formula_sum);



CREATE INDEX ix_cif_index_niggli ON public.cif_index USING btree (niggli_a, niggli_b);



CREATE INDEX ix_cif_index_r1 ON public.cif_index USING btree (r1);



CREATE INDEX ix_cif_index_space_group_number ON public.cif_index USING btree (space_group_number);



CREATE INDEX ix_commands_application_id ON public.commands USING btree (application_id);



CREATE INDEX ix_data_files_bin ON public.data_files USING btree (deleted_at) WHERE ((deleted_at IS NOT NULL) AND (purged_at IS NULL));



CREATE INDEX ix_data_files_dataset ON public.data_files USING btree (dataset_id, id);



CREATE INDEX ix_data_files_group ON public.data_files USING btree (group_id, id) WHERE (group_id IS NOT NULL);



CREATE INDEX ix_data_files_owner ON public.data_files USING btree (owner_id, id);



CREATE INDEX ix_data_files_sha256 ON public.data_files USING btree (sha256);



CREATE INDEX ix_datasets_group ON public.datasets USING btree (group_id, id) WHERE (group_id IS NOT NULL);



CREATE INDEX ix_datasets_kind ON public.datasets USING btree (kind, id) WHERE ((kind)::text = 'example'::text);



CREATE INDEX ix_datasets_name ON public.datasets USING btree (name);



CREATE INDEX ix_datasets_owner ON public.datasets USING btree (owner_id, id);



CREATE INDEX ix_events_object ON public.events USING btree (object_id, seq);



CREATE INDEX ix_file_contents_unused ON public.file_contents USING btree (created_at) WHERE ((refcount = 0) AND ((state)::text <> 'removed'::text));



CREATE INDEX ix_handovers_subject ON public.handovers USING btree (subject, subject_id);



CREATE INDEX ix_idempotency_at ON public.idempotency USING btree (at);



CREATE INDEX ix_sessions_owner_id ON public.sessions USING btree (owner_id);



CREATE INDEX ix_shares_group ON public.shares USING btree (group_id, kind);



CREATE INDEX ix_shares_object ON public.shares USING btree (object_id);



CREATE INDEX ix_shares_person ON public.shares USING btree (person_id, kind);



CREATE INDEX ix_tags_tag ON public.tags USING btree (tag, kind, object_id);



CREATE INDEX ix_uploads_calculation ON public.uploads USING btree (calculation_id, attempt);



CREATE TRIGGER audit_only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_only_grows();



ALTER TABLE ONLY public.agents
    ADD CONSTRAINT fk_agents_application_id_applications FOREIGN KEY (application_id) REFERENCES public.applications(id);



ALTER TABLE ONLY public.calculation_inputs
    ADD CONSTRAINT fk_calculation_inputs_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.calculation_inputs
    ADD CONSTRAINT fk_calculation_inputs_data_file_id_data_files FOREIGN KEY (data_file_id) REFERENCES public.data_files(id);



ALTER TABLE ONLY public.calculation_outputs
    ADD CONSTRAINT fk_calculation_outputs_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.calculation_outputs
    ADD CONSTRAINT fk_calculation_outputs_data_file_id_data_files FOREIGN KEY (data_file_id) REFERENCES public.data_files(id);



ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT fk_calculations_application_id_applications FOREIGN KEY (application_id) REFERENCES public.applications(id);



ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT fk_calculations_command_id_commands FOREIGN KEY (command_id) REFERENCES public.commands(id);



ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT fk_calculations_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id);



ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT fk_calculations_owner_id_people FOREIGN KEY (owner_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.cif_index
    ADD CONSTRAINT fk_cif_index_data_file_id_data_files FOREIGN KEY (data_file_id) REFERENCES public.data_files(id);



ALTER TABLE ONLY public.command_durations
    ADD CONSTRAINT fk_command_durations_command_id_commands FOREIGN KEY (command_id) REFERENCES public.commands(id);



ALTER TABLE ONLY public.commands
    ADD CONSTRAINT fk_commands_application_id_applications FOREIGN KEY (application_id) REFERENCES public.applications(id);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT fk_data_files_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT fk_data_files_dataset_id_datasets FOREIGN KEY (dataset_id) REFERENCES public.datasets(id);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT fk_data_files_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT fk_data_files_owner_id_people FOREIGN KEY (owner_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT fk_data_files_sha256_file_contents FOREIGN KEY (sha256) REFERENCES public.file_contents(sha256);



ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT fk_data_files_unified_sha256_file_contents FOREIGN KEY (unified_sha256) REFERENCES public.file_contents(sha256);



ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT fk_datasets_application_id_applications FOREIGN KEY (application_id) REFERENCES public.applications(id);



ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT fk_datasets_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT fk_datasets_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id);



ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT fk_datasets_owner_id_people FOREIGN KEY (owner_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.handover_items
    ADD CONSTRAINT fk_handover_items_handover_id_handovers FOREIGN KEY (handover_id) REFERENCES public.handovers(id);



ALTER TABLE ONLY public.handovers
    ADD CONSTRAINT fk_handovers_by_id_people FOREIGN KEY (by_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.holds
    ADD CONSTRAINT fk_holds_by_id_people FOREIGN KEY (by_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT fk_idempotency_owner_id_people FOREIGN KEY (owner_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.log_chunks
    ADD CONSTRAINT fk_log_chunks_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.progress
    ADD CONSTRAINT fk_progress_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.quotas
    ADD CONSTRAINT fk_quotas_by_id_people FOREIGN KEY (by_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_calculation_id_calculations FOREIGN KEY (calculation_id) REFERENCES public.calculations(id);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_owner_id_people FOREIGN KEY (owner_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.shares
    ADD CONSTRAINT fk_shares_by_id_people FOREIGN KEY (by_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.shares
    ADD CONSTRAINT fk_shares_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id);



ALTER TABLE ONLY public.shares
    ADD CONSTRAINT fk_shares_person_id_people FOREIGN KEY (person_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.tags
    ADD CONSTRAINT fk_tags_by_id_people FOREIGN KEY (by_id) REFERENCES public.people(id);



ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT fk_uploads_owner_id_people FOREIGN KEY (owner_id) REFERENCES public.people(id);




