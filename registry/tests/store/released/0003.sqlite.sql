BEGIN TRANSACTION;
CREATE TABLE agents (
	id VARCHAR(63) NOT NULL, 
	application_id INTEGER NOT NULL, 
	launcher VARCHAR(63) DEFAULT '' NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	busy_with VARCHAR(32), 
	attempt INTEGER, 
	owner_id INTEGER, 
	enrolment_hash VARCHAR(64), 
	user_nkey VARCHAR(80), 
	host TEXT DEFAULT '' NOT NULL, 
	pid INTEGER, 
	handle TEXT DEFAULT '' NOT NULL, 
	qcrbox_version VARCHAR(60) DEFAULT '' NOT NULL, 
	notes JSON DEFAULT '[]' NOT NULL, 
	rss_bytes BIGINT, 
	requested_at FLOAT NOT NULL, 
	ready_at FLOAT, 
	idle_since FLOAT, 
	last_seen_at FLOAT, 
	gone_at FLOAT, 
	exit_code INTEGER, 
	reason TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_agents PRIMARY KEY (id), 
	CONSTRAINT fk_agents_application_id_applications FOREIGN KEY(application_id) REFERENCES applications (id)
);
INSERT INTO "agents" VALUES('practice-bab6956708',1,'local','idle',NULL,NULL,2,NULL,NULL,'',5696,'','','[]',NULL,1.79593915532090115543e+09,1.79593915533245563503e+09,1.79593915613306879999e+09,1.79593915613306879999e+09,NULL,NULL,'');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE applications (
	id INTEGER NOT NULL, 
	slug VARCHAR(255) NOT NULL, 
	version VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	url TEXT, 
	email TEXT, 
	doi TEXT, 
	yaml_file_path TEXT, 
	gui_port VARCHAR(20), 
	qcrbox_version VARCHAR(60) DEFAULT '' NOT NULL, 
	spec JSON NOT NULL, 
	spec_hash VARCHAR(64) NOT NULL, 
	notes JSON DEFAULT '[]' NOT NULL, 
	reuse VARCHAR(20) DEFAULT 'same-owner' NOT NULL, 
	limits JSON DEFAULT '{}' NOT NULL, 
	warm INTEGER DEFAULT '0' NOT NULL, 
	most_agents INTEGER, 
	approved BOOLEAN DEFAULT 1 NOT NULL, 
	retired_at FLOAT, 
	restricted_to JSON, 
	registered_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	CONSTRAINT pk_applications PRIMARY KEY (id), 
	CONSTRAINT uq_applications_slug_version UNIQUE (slug, version)
);
INSERT INTO "applications" VALUES(1,'practice','1','Practice','Does no science.',NULL,NULL,NULL,'/tmp/tmp1yculj5y/application/application.yaml',NULL,'0.1.0','{"name": "Practice", "slug": "practice", "version": "1", "description": "Does no science.", "url": null, "email": null, "doi": [], "commands": [{"name": "noop", "implemented_as": "python_callable", "description": "Nothing at all.", "title": null, "doi": [], "parameters": [{"name": "x", "dtype": "int", "description": null, "default": 0, "has_default": true, "required": null, "valid_value": {"numeric_range": [0.0, 10.0], "choices": null, "regex": null}, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 13}, {"name": "mode", "dtype": "str", "description": null, "default": "gentle", "has_default": true, "required": null, "valid_value": {"numeric_range": null, "choices": ["gentle", "hard"], "regex": null}, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 14}], "outputs": [], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "noop", "description": "Nothing at all.", "uses": null, "line": 8}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 8}, {"name": "sleep", "implemented_as": "python_callable", "description": null, "title": null, "doi": [], "parameters": [{"name": "seconds", "dtype": "float", "description": null, "default": 1.0, "has_default": true, "required": null, "valid_value": null, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 18}], "outputs": [], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "sleep", "description": null, "uses": null, "line": 15}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 15}, {"name": "fail", "implemented_as": "python_callable", "description": null, "title": null, "doi": [], "parameters": [], "outputs": [], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "fail", "description": null, "uses": null, "line": 19}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 19}, {"name": "read", "implemented_as": "python_callable", "description": null, "title": null, "doi": [], "parameters": [{"name": "structure", "dtype": "QCrBox.cif_data_file", "description": null, "default": null, "has_default": false, "required": null, "valid_value": null, "cif": {"required_entries": ["_cell_length_a"], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified"}, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 27}, {"name": "table", "dtype": "QCrBox.data_file", "description": null, "default": null, "has_default": false, "required": false, "valid_value": null, "cif": null, "cif_output": null, "companion": ["*.hkl"], "older_names": [], "secondary": false, "line": 28}], "outputs": [{"name": "written", "dtype": "QCrBox.output_cif", "description": null, "filename": "new.cif", "required_output": false, "missing_is_warning": false, "from_parameter": false, "older_names": [], "cif": {"required_entries": [], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified", "invalidated_entries": [], "invalidated_entry_sets": [], "output_block": "0"}, "line": 30}], "merge_cif_su": false, "call": {"implemented_as": "python_callable", "call_pattern": null, "import_path": "practice_glue", "callable_name": "read", "description": null, "uses": null, "line": 23}, "lifecycle": null, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 23}, {"name": "interactive_session", "implemented_as": "interactive_session", "description": null, "title": null, "doi": [], "parameters": [{"name": "note", "dtype": "str", "description": null, "default": "x", "has_default": true, "required": null, "valid_value": null, "cif": null, "cif_output": null, "companion": [], "older_names": [], "secondary": false, "line": 33}], "outputs": [], "merge_cif_su": false, "call": null, "lifecycle": {"prepare": null, "run": {"implemented_as": "cli_command", "call_pattern": "sleep 100", "import_path": null, "callable_name": null, "description": null, "uses": [], "line": 35}, "finalise": null}, "hidden": false, "repeats": null, "toparams": null, "timeout_s": null, "memory_bytes": null, "cpus": null, "gpu": null, "progress": null, "checkpoint": null, "line": 31}], "cif_entry_sets": [], "older_versions": ["0.9"], "reuse": "same-owner", "notes": ["line 2: qcrbox_yaml_spec_version is missing; the oldest files have none"], "left_out": []}','4949883e0a2d89ff9a5f910491a027db0f9a33db12e07881ff51d4c6e0bd0007','["line 2: qcrbox_yaml_spec_version is missing; the oldest files have none"]','same-owner','{}',0,NULL,1,NULL,NULL,1.79593915299806022641e+09,1.79593915299806022641e+09);
CREATE TABLE "audit" (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at FLOAT NOT NULL, 
	who_id INTEGER, 
	who VARCHAR(255) NOT NULL, 
	address VARCHAR(64) DEFAULT ('') NOT NULL, 
	action VARCHAR(255) NOT NULL, 
	kind VARCHAR(24) DEFAULT ('') NOT NULL, 
	object_id VARCHAR(255) DEFAULT ('') NOT NULL, 
	allowed BOOLEAN NOT NULL, 
	details JSON DEFAULT '{}' NOT NULL, 
	previous VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL
);
INSERT INTO "audit" VALUES(1,1.79593915523126339914e+09,2,'ada','127.0.0.1','upload','dataset','qcrbox_ds_0x01a22650bd1e00008bf62233e2271753',1,'{"name": "quartz"}','0000000000000000000000000000000000000000000000000000000000000000','47509d626ddf7e0b8248ca66afc53240edecbf93e243d5653f51a4f2e770fb77');
INSERT INTO "audit" VALUES(2,1.7959391552537941933e+09,2,'ada','127.0.0.1','change','dataset','qcrbox_ds_0x01a22650bd1e00008bf62233e2271753',1,'{"fields": ["tags"]}','47509d626ddf7e0b8248ca66afc53240edecbf93e243d5653f51a4f2e770fb77','f45b16c874dcf10b2941bfc939e2dec9064c94600aaffe00e5bc5221f5d29c1d');
INSERT INTO "audit" VALUES(3,1.79593915530706810948e+09,2,'ada','127.0.0.1','submit','calculation','01a22650bd6a0000a77f2f19992e757e',1,'{"command": "practice 1 read", "calculations": 1}','f45b16c874dcf10b2941bfc939e2dec9064c94600aaffe00e5bc5221f5d29c1d','c6f5dc6403d1a6bd236a4c7bda5bb605bf5d356d527a29a55a40df69e8cd0230');
INSERT INTO "audit" VALUES(4,1.79593915542387032508e+09,2,'ada','127.0.0.1','submit','calculation','01a22650bddf0000f9331849b1823244',1,'{"command": "practice 1 fail", "calculations": 1}','c6f5dc6403d1a6bd236a4c7bda5bb605bf5d356d527a29a55a40df69e8cd0230','af06cfbaf8106f4d723e1af8cdece9aece79cc9aa364d8651142ea1dc37ca25a');
INSERT INTO "audit" VALUES(5,1.79593915553082847597e+09,2,'ada','127.0.0.1','submit','calculation','01a22650be4a00007c110ede9f2177c8',1,'{"command": "practice 1 noop", "calculations": 1}','af06cfbaf8106f4d723e1af8cdece9aece79cc9aa364d8651142ea1dc37ca25a','98d62d5c50926ee2eb42e860eccc976914e5bd741cc713effe6926ca5c8e23a9');
INSERT INTO "audit" VALUES(6,1.7959391556479673386e+09,2,'ada','127.0.0.1','upload','dataset','qcrbox_ds_0x01a22650bebf00009676ebe8ba6bbe04',1,'{"name": "gone.cif"}','98d62d5c50926ee2eb42e860eccc976914e5bd741cc713effe6926ca5c8e23a9','bf0898ecf9a15d8a2cfb78388fc99340819ba0617c096e6b000349f34718f11c');
INSERT INTO "audit" VALUES(7,1.79593915569842338562e+09,2,'ada','127.0.0.1','delete','dataset','qcrbox_ds_0x01a22650bebf00009676ebe8ba6bbe04',1,'{"name": "gone.cif"}','bf0898ecf9a15d8a2cfb78388fc99340819ba0617c096e6b000349f34718f11c','e1765fe3b73ea2fb5c5df22dd4d1eb2210e9dedc97e92e931963441676645341');
INSERT INTO "audit" VALUES(8,1.79593915571514081957e+09,2,'ada','127.0.0.1','upload','data_file','qcrbox_df_0x01a22650bf03000038251cc4fd1bb178',1,'{"name": "lone.hkl"}','e1765fe3b73ea2fb5c5df22dd4d1eb2210e9dedc97e92e931963441676645341','7566d45ba0f3962ca83c153d0b3421659bae80656c0aed719cac6e78458d2da0');
INSERT INTO "audit" VALUES(9,1.79593915576245141026e+09,2,'ada','127.0.0.1','share','dataset','qcrbox_ds_0x01a22650bd1e00008bf62233e2271753',1,'{"to": "person bob", "mode": "read"}','7566d45ba0f3962ca83c153d0b3421659bae80656c0aed719cac6e78458d2da0','c7a3ced91a4abddb3eced1d2e79361ab877561173580545616acb4f03175ac73');
INSERT INTO "audit" VALUES(10,1.79593915585914564131e+09,2,'ada','127.0.0.1','submit','calculation','01a22650bf920000d30f24ab5a1fba45',1,'{"command": "practice 1 interactive_session", "calculations": 1}','c7a3ced91a4abddb3eced1d2e79361ab877561173580545616acb4f03175ac73','b9bbc2b3a9014575de60287b4246407de0f3cc6d8f4c67b2da504cab37770545');
INSERT INTO "audit" VALUES(11,1.79593915601634645465e+09,3,'root','127.0.0.1','set quota','person','bob',1,'{"quota": "gib", "limit": 2.0}','b9bbc2b3a9014575de60287b4246407de0f3cc6d8f4c67b2da504cab37770545','b024dfc791006ce9a3f864a9963b527b78a0c39143a6dd084cf89b5c08edec46');
INSERT INTO "audit" VALUES(12,1.7959391560702869892e+09,3,'root','127.0.0.1','hold','application','1',1,'{"mode": "hold", "reason": "Licence"}','b024dfc791006ce9a3f864a9963b527b78a0c39143a6dd084cf89b5c08edec46','5b8510cec88d8d533c97d1b7206fda39c9abe296fce29ec977915e8adf8d02e0');
INSERT INTO "audit" VALUES(13,1.79593915611887693407e+09,1,'bob','127.0.0.1','submit','calculation','01a22650c09600007e4cb4c1d1175031',1,'{"command": "practice 1 noop", "calculations": 1}','5b8510cec88d8d533c97d1b7206fda39c9abe296fce29ec977915e8adf8d02e0','84e9478fba803605b9dfa0d5e2a233950fdc2ed287cd95d550b5270698ea49d1');
INSERT INTO "audit" VALUES(14,1.79593915612323403365e+09,2,'ada','127.0.0.1','submit','calculation','01a22650c09b0000cb3e22267896b8eb',1,'{"command": "practice 1 read", "calculations": 1}','84e9478fba803605b9dfa0d5e2a233950fdc2ed287cd95d550b5270698ea49d1','9429bfac673ff9074ad7cdd3dea715a9efcd55f11100866427d5c49eb4c14099');
CREATE TABLE calculation_inputs (
	calculation_id VARCHAR(32) NOT NULL, 
	parameter VARCHAR(255) NOT NULL, 
	data_file_id VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_calculation_inputs PRIMARY KEY (calculation_id, parameter), 
	CONSTRAINT fk_calculation_inputs_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id), 
	CONSTRAINT fk_calculation_inputs_data_file_id_data_files FOREIGN KEY(data_file_id) REFERENCES data_files (id)
);
INSERT INTO "calculation_inputs" VALUES('01a22650bd6a0000a77f2f19992e757e','structure','01a22650bd1e00019bc1589ad952800f');
INSERT INTO "calculation_inputs" VALUES('01a22650c09b0000cb3e22267896b8eb','structure','01a22650bd1e00019bc1589ad952800f');
CREATE TABLE calculation_outputs (
	calculation_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	name VARCHAR(255) DEFAULT '' NOT NULL, 
	data_file_id VARCHAR(32) NOT NULL, 
	is_primary BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_calculation_outputs PRIMARY KEY (calculation_id, position), 
	CONSTRAINT fk_calculation_outputs_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id), 
	CONSTRAINT fk_calculation_outputs_data_file_id_data_files FOREIGN KEY(data_file_id) REFERENCES data_files (id), 
	CONSTRAINT uq_calculation_outputs_data_file_id UNIQUE (data_file_id)
);
INSERT INTO "calculation_outputs" VALUES('01a22650c09b0000cb3e22267896b8eb',0,'refined','01a22650c0d60001464d99024769cef3',1);
CREATE TABLE calculations (
	id VARCHAR(32) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	group_id INTEGER, 
	application_id INTEGER NOT NULL, 
	command_id INTEGER NOT NULL, 
	application_slug VARCHAR(255) NOT NULL, 
	application_version VARCHAR(255) NOT NULL, 
	command_name VARCHAR(255) NOT NULL, 
	arguments JSON NOT NULL, 
	interactive BOOLEAN DEFAULT 0 NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	correlation_id VARCHAR(64) NOT NULL, 
	batch_id VARCHAR(32), 
	state VARCHAR(12) NOT NULL, 
	step VARCHAR(12) NOT NULL, 
	priority INTEGER DEFAULT '0' NOT NULL, 
	attempt INTEGER DEFAULT '0' NOT NULL, 
	losses INTEGER DEFAULT '0' NOT NULL, 
	agent_id VARCHAR(63), 
	not_before FLOAT, 
	wall_time_s FLOAT, 
	submitted_at FLOAT NOT NULL, 
	assigned_at FLOAT, 
	started_at FLOAT, 
	finished_at FLOAT, 
	cancel_requested_at FLOAT, 
	cancel_reason TEXT DEFAULT '' NOT NULL, 
	output_dataset_id VARCHAR(32), 
	returncode INTEGER, 
	error_msg TEXT DEFAULT '' NOT NULL, 
	warnings JSON DEFAULT '[]' NOT NULL, 
	timings_s JSON DEFAULT '{}' NOT NULL, 
	peak_rss_bytes BIGINT, 
	dead_letter BOOLEAN DEFAULT 0 NOT NULL, 
	repeat_of VARCHAR(32), 
	force BOOLEAN DEFAULT 0 NOT NULL, subject TEXT DEFAULT '' NOT NULL, done TEXT DEFAULT '' NOT NULL, verdict TEXT DEFAULT '' NOT NULL, remarks JSON DEFAULT '[]' NOT NULL, 
	CONSTRAINT pk_calculations PRIMARY KEY (id), 
	CONSTRAINT fk_calculations_application_id_applications FOREIGN KEY(application_id) REFERENCES applications (id), 
	CONSTRAINT fk_calculations_command_id_commands FOREIGN KEY(command_id) REFERENCES commands (id), 
	CONSTRAINT fk_calculations_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id), 
	CONSTRAINT fk_calculations_owner_id_people FOREIGN KEY(owner_id) REFERENCES people (id)
);
INSERT INTO "calculations" VALUES('01a22650bd6a0000a77f2f19992e757e',2,1,1,4,'practice','1','read','{"structure": {"data_file_id": "qcrbox_df_0x01a22650bd1e00019bc1589ad952800f"}, "table": null}',0,'','01a22650bd69000010ac2ce69d85c60c',NULL,'successful','done',0,1,0,'practice-bab6956708',NULL,NULL,1.79593915530706810948e+09,1.79593915533575367929e+09,1.79593915534558844562e+09,1.79593915535007667538e+09,NULL,'',NULL,NULL,'','[]','{}',NULL,0,NULL,0,'quartz','read','','[]');
INSERT INTO "calculations" VALUES('01a22650bddf0000f9331849b1823244',2,1,1,3,'practice','1','fail','{}',0,'','01a22650bdde0000f2014e042fb27ca6',NULL,'failed','done',0,1,0,'practice-bab6956708',NULL,NULL,1.79593915542387032508e+09,1.79593915543726062771e+09,1.79593915544016289711e+09,1.79593915544386339188e+09,NULL,'',NULL,NULL,'The program failed.
about to fail','[]','{}',NULL,0,NULL,0,'','fail','','[]');
INSERT INTO "calculations" VALUES('01a22650be4a00007c110ede9f2177c8',2,1,1,1,'practice','1','noop','{"x": 3, "mode": "gentle"}',0,'','01a22650be49000071d98dda13f692a1',NULL,'successful','done',0,1,0,'practice-bab6956708',NULL,NULL,1.79593915553082847597e+09,1.79593915553756117826e+09,1.795939155553828001e+09,1.79593915555462908741e+09,NULL,'',NULL,NULL,'','[]','{}',NULL,0,NULL,0,'','noop','','[]');
INSERT INTO "calculations" VALUES('01a22650bf920000d30f24ab5a1fba45',2,1,1,5,'practice','1','interactive_session','{"note": "x"}',1,'','01a22650bf9100008dfe6ee06b817342',NULL,'successful','done',0,1,0,'practice-bab6956708',NULL,NULL,1.79593915585914564131e+09,1.79593915586413073537e+09,1.79593915586973524095e+09,1.79593915587324929241e+09,NULL,'',NULL,NULL,'','[]','{}',NULL,0,NULL,0,'','interactive session','','[]');
INSERT INTO "calculations" VALUES('01a22650c09600007e4cb4c1d1175031',1,NULL,1,1,'practice','1','noop','{"x": 1, "mode": "gentle"}',0,'','01a22650c09500001341c5573000c0ba',NULL,'submitted','queued',0,0,0,NULL,NULL,NULL,1.79593915611887693407e+09,NULL,NULL,NULL,NULL,'',NULL,NULL,'','[]','{}',NULL,0,NULL,0,'','noop','','[]');
INSERT INTO "calculations" VALUES('01a22650c09b0000cb3e22267896b8eb',2,1,1,4,'practice','1','read','{"structure": {"data_file_id": "qcrbox_df_0x01a22650bd1e00019bc1589ad952800f"}, "table": null}',0,'','01a22650c09a00002a63133ebb7457f9',NULL,'successful','done',0,1,0,'agent-of-the-dump',NULL,NULL,1.79593915612323403365e+09,1.7959391561278364658e+09,1.7959391561278364658e+09,1.79593915617969441416e+09,NULL,'','01a22650c0d6000016fc7397f1bd95fb',NULL,'','[]','{}',NULL,0,NULL,0,'quartz','read','R1 0.0200','[]');
CREATE TABLE cif_index (
	data_file_id VARCHAR(32) NOT NULL, 
	indexed_at FLOAT NOT NULL, 
	block TEXT, 
	formula_sum TEXT, 
	formula_moiety TEXT, 
	elements TEXT, 
	a FLOAT, 
	b FLOAT, 
	c FLOAT, 
	alpha FLOAT, 
	beta FLOAT, 
	gamma FLOAT, 
	volume FLOAT, 
	niggli_a FLOAT, 
	niggli_b FLOAT, 
	niggli_c FLOAT, 
	niggli_alpha FLOAT, 
	niggli_beta FLOAT, 
	niggli_gamma FLOAT, 
	space_group_number INTEGER, 
	space_group_hm TEXT, 
	z INTEGER, 
	temperature_k FLOAT, 
	wavelength FLOAT, 
	r1 FLOAT, 
	wr2 FLOAT, 
	goof FLOAT, 
	residual_max FLOAT, 
	residual_min FLOAT, 
	has_hkl BOOLEAN, 
	has_res BOOLEAN, 
	has_disorder BOOLEAN, 
	has_hydrogens BOOLEAN, 
	"full" JSON DEFAULT '{}' NOT NULL, 
	names JSON, 
	CONSTRAINT pk_cif_index PRIMARY KEY (data_file_id), 
	CONSTRAINT fk_cif_index_data_file_id_data_files FOREIGN KEY(data_file_id) REFERENCES data_files (id)
);
INSERT INTO "cif_index" VALUES('01a22650bd1e00019bc1589ad952800f',1.79593915523126339914e+09,'quartz','O2 Si',NULL,'|O|Si|',4.9134,4.9134,5.4052,90.0,90.0,120.0,1.1300733747372149196e+02,4.9134,4.91339999999999932356e+00,5.4052,90.0,90.0,1.1999999999999998579e+02,154,'P 32 2 1',NULL,NULL,NULL,0.021,NULL,NULL,NULL,NULL,0,0,0,0,'{"filename": "quartz.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.021, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}','["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]');
INSERT INTO "cif_index" VALUES('01a22650bebf0001a8258e94696126fb',1.7959391556479673386e+09,'quartz','O2 Si',NULL,'|O|Si|',4.9134,4.9134,5.4052,90.0,90.0,120.0,1.1300733747372149196e+02,4.9134,4.91339999999999932356e+00,5.4052,90.0,90.0,1.1999999999999998579e+02,154,'P 32 2 1',NULL,NULL,NULL,0.021,NULL,NULL,NULL,NULL,0,0,0,0,'{"filename": "gone.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.021, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}','["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]');
INSERT INTO "cif_index" VALUES('01a22650c0d60001464d99024769cef3',1.79593915617969441416e+09,'quartz','O2 Si',NULL,'|O|Si|',4.9134,4.9134,5.4052,90.0,90.0,120.0,1.1300733747372149196e+02,4.9134,4.91339999999999932356e+00,5.4052,90.0,90.0,1.1999999999999998579e+02,154,'P 32 2 1',NULL,NULL,NULL,0.02,NULL,NULL,NULL,NULL,0,0,0,0,'{"filename": "refined.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.02, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}','["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]');
CREATE TABLE command_durations (
	command_id INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	mean_s FLOAT NOT NULL, 
	m2 FLOAT NOT NULL, 
	CONSTRAINT pk_command_durations PRIMARY KEY (command_id), 
	CONSTRAINT fk_command_durations_command_id_commands FOREIGN KEY(command_id) REFERENCES commands (id)
);
INSERT INTO "command_durations" VALUES(1,1,0.00080108642578125,0.0);
INSERT INTO "command_durations" VALUES(4,2,2.81730890274047851562e-02,1.12194511783059169829e-03);
CREATE TABLE commands (
	id INTEGER NOT NULL, 
	application_id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	implemented_as VARCHAR(40) NOT NULL, 
	parameters JSON NOT NULL, 
	merge_cif_su BOOLEAN DEFAULT 0 NOT NULL, 
	doi TEXT, 
	hidden BOOLEAN DEFAULT 0 NOT NULL, 
	retired_at FLOAT, 
	CONSTRAINT pk_commands PRIMARY KEY (id), 
	CONSTRAINT fk_commands_application_id_applications FOREIGN KEY(application_id) REFERENCES applications (id), 
	CONSTRAINT uq_commands_application_id_name UNIQUE (application_id, name)
);
INSERT INTO "commands" VALUES(1,1,'noop','Nothing at all.','python_callable','{"x": {"name": "x", "dtype": "int", "description": null, "default_value": 0, "required": false, "valid_value": {"numeric_range": [0.0, 10.0]}}, "mode": {"name": "mode", "dtype": "str", "description": null, "default_value": "gentle", "required": false, "valid_value": {"choices": ["gentle", "hard"]}}}',0,NULL,0,NULL);
INSERT INTO "commands" VALUES(2,1,'sleep','','python_callable','{"seconds": {"name": "seconds", "dtype": "float", "description": null, "default_value": 1.0, "required": false, "valid_value": null}}',0,NULL,0,NULL);
INSERT INTO "commands" VALUES(3,1,'fail','','python_callable','{}',0,NULL,0,NULL);
INSERT INTO "commands" VALUES(4,1,'read','','python_callable','{"structure": {"name": "structure", "dtype": "QCrBox.cif_data_file", "description": null, "default_value": null, "required": true, "valid_value": null, "required_entries": ["_cell_length_a"], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified", "takes": {"endings": [".cif"], "atoms": false}}, "table": {"name": "table", "dtype": "QCrBox.data_file", "description": null, "default_value": null, "required": false, "valid_value": null, "companion": ["*.hkl"], "takes": {"endings": [".hkl"], "atoms": false}}, "written": {"name": "written", "dtype": "QCrBox.output_cif", "description": null, "default_value": "new.cif", "required": false, "valid_value": null, "is_output": true, "required_entries": [], "optional_entries": [], "required_entry_sets": [], "optional_entry_sets": [], "merge_su": false, "custom_categories": [], "dialect": "unified", "invalidated_entries": [], "invalidated_entry_sets": [], "output_block": "0"}}',0,NULL,0,NULL);
INSERT INTO "commands" VALUES(5,1,'interactive_session','','interactive_session','{"note": {"name": "note", "dtype": "str", "description": null, "default_value": "x", "required": false, "valid_value": null}}',0,NULL,0,NULL);
CREATE TABLE data_files (
	id VARCHAR(32) NOT NULL, 
	dataset_id VARCHAR(32), 
	owner_id INTEGER NOT NULL, 
	group_id INTEGER, 
	filename TEXT NOT NULL, 
	filetype VARCHAR(40) DEFAULT 'unknown' NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	unified_sha256 VARCHAR(64), 
	size BIGINT NOT NULL, 
	calculation_id VARCHAR(32), 
	created_at FLOAT NOT NULL, 
	deleted_at FLOAT, 
	purged_at FLOAT, 
	CONSTRAINT pk_data_files PRIMARY KEY (id), 
	CONSTRAINT fk_data_files_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id), 
	CONSTRAINT fk_data_files_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets (id), 
	CONSTRAINT fk_data_files_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id), 
	CONSTRAINT fk_data_files_owner_id_people FOREIGN KEY(owner_id) REFERENCES people (id), 
	CONSTRAINT fk_data_files_sha256_file_contents FOREIGN KEY(sha256) REFERENCES file_contents (sha256), 
	CONSTRAINT fk_data_files_unified_sha256_file_contents FOREIGN KEY(unified_sha256) REFERENCES file_contents (sha256)
);
INSERT INTO "data_files" VALUES('01a22650bd1e00019bc1589ad952800f','01a22650bd1e00008bf62233e2271753',2,1,'quartz.cif','cif','26ead4525130be0f0dc62e4a5ca59b1451af64b726098d81a575b201d1478bda',NULL,384,NULL,1.79593915523126339914e+09,NULL,NULL);
INSERT INTO "data_files" VALUES('01a22650bebf0001a8258e94696126fb','01a22650bebf00009676ebe8ba6bbe04',2,1,'gone.cif','cif','0f46d401bb0438a025b285c08cb8059d7b6fffb797071c37fd6c1c9fb188e220',NULL,394,NULL,1.7959391556479673386e+09,1.79593915569842338562e+09,NULL);
INSERT INTO "data_files" VALUES('01a22650bf03000038251cc4fd1bb178',NULL,2,1,'lone.hkl','hkl','ebca8bc1edc0d7f5a5de38d98db7cab9918eb0403e13b2f185c70316e0a3aa15',NULL,29,NULL,1.79593915571514081957e+09,NULL,NULL);
INSERT INTO "data_files" VALUES('01a22650c0d60001464d99024769cef3','01a22650c0d6000016fc7397f1bd95fb',2,1,'refined.cif','cif','057508d50b7ed132247308653fb298b2bef9c34e5f14a4b709d0e59824649453',NULL,384,'01a22650c09b0000cb3e22267896b8eb',1.79593915617969441416e+09,NULL,NULL);
CREATE TABLE datasets (
	id VARCHAR(32) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	group_id INTEGER, 
	kind VARCHAR(12) DEFAULT 'data' NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	application_id INTEGER, 
	calculation_id VARCHAR(32), 
	created_at FLOAT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	deleted_at FLOAT, 
	deleted_by INTEGER, 
	CONSTRAINT pk_datasets PRIMARY KEY (id), 
	CONSTRAINT fk_datasets_application_id_applications FOREIGN KEY(application_id) REFERENCES applications (id), 
	CONSTRAINT fk_datasets_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id), 
	CONSTRAINT fk_datasets_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id), 
	CONSTRAINT fk_datasets_owner_id_people FOREIGN KEY(owner_id) REFERENCES people (id)
);
INSERT INTO "datasets" VALUES('01a22650bd1e00008bf62233e2271753',2,1,'data','quartz','α-SiO2',NULL,NULL,1.79593915523126339914e+09,1.79593915523126339914e+09,NULL,NULL);
INSERT INTO "datasets" VALUES('01a22650bebf00009676ebe8ba6bbe04',2,1,'data','gone.cif','',NULL,NULL,1.7959391556479673386e+09,1.7959391556479673386e+09,1.79593915569842338562e+09,2);
INSERT INTO "datasets" VALUES('01a22650c0d6000016fc7397f1bd95fb',2,1,'output','quartz · read · R1 0.0200','',NULL,'01a22650c09b0000cb3e22267896b8eb',1.79593915617969441416e+09,1.79593915617969441416e+09,NULL,NULL);
CREATE TABLE events (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at FLOAT NOT NULL, 
	kind VARCHAR(24) NOT NULL, 
	object_id VARCHAR(64) NOT NULL, 
	status VARCHAR(12) DEFAULT '' NOT NULL, 
	step VARCHAR(12) DEFAULT '' NOT NULL, 
	attempt INTEGER DEFAULT '0' NOT NULL, 
	owner_id INTEGER, 
	group_id INTEGER, 
	payload JSON DEFAULT '{}' NOT NULL
);
INSERT INTO "events" VALUES(1,1.79593915299806022641e+09,'application','1','registered','',0,NULL,NULL,'{}');
INSERT INTO "events" VALUES(2,1.79593915523126339914e+09,'dataset','01a22650bd1e00008bf62233e2271753','created','',0,2,1,'{}');
INSERT INTO "events" VALUES(3,1.7959391552537941933e+09,'dataset','01a22650bd1e00008bf62233e2271753','changed','',0,2,1,'{}');
INSERT INTO "events" VALUES(4,1.79593915530706810948e+09,'calculation','01a22650bd6a0000a77f2f19992e757e','submitted','queued',0,2,1,'{"command": "read", "application": "practice"}');
INSERT INTO "events" VALUES(5,1.79593915534558844562e+09,'calculation','01a22650bd6a0000a77f2f19992e757e','running','running',1,2,1,'{}');
INSERT INTO "events" VALUES(6,1.79593915535007667538e+09,'calculation','01a22650bd6a0000a77f2f19992e757e','successful','done',1,2,1,'{}');
INSERT INTO "events" VALUES(7,1.79593915542387032508e+09,'calculation','01a22650bddf0000f9331849b1823244','submitted','queued',0,2,1,'{"command": "fail", "application": "practice"}');
INSERT INTO "events" VALUES(8,1.79593915544016289711e+09,'calculation','01a22650bddf0000f9331849b1823244','running','running',1,2,1,'{}');
INSERT INTO "events" VALUES(9,1.79593915544386339188e+09,'calculation','01a22650bddf0000f9331849b1823244','failed','done',1,2,1,'{"error_msg": "The program failed.\nabout to fail"}');
INSERT INTO "events" VALUES(10,1.79593915553082847597e+09,'calculation','01a22650be4a00007c110ede9f2177c8','submitted','queued',0,2,1,'{"command": "noop", "application": "practice"}');
INSERT INTO "events" VALUES(11,1.795939155553828001e+09,'calculation','01a22650be4a00007c110ede9f2177c8','running','running',1,2,1,'{}');
INSERT INTO "events" VALUES(12,1.79593915555462908741e+09,'calculation','01a22650be4a00007c110ede9f2177c8','successful','done',1,2,1,'{}');
INSERT INTO "events" VALUES(13,1.7959391556479673386e+09,'dataset','01a22650bebf00009676ebe8ba6bbe04','created','',0,2,1,'{}');
INSERT INTO "events" VALUES(14,1.79593915569842338562e+09,'dataset','01a22650bebf00009676ebe8ba6bbe04','deleted','',0,2,1,'{}');
INSERT INTO "events" VALUES(15,1.79593915571514081957e+09,'data_file','01a22650bf03000038251cc4fd1bb178','created','',0,2,1,'{}');
INSERT INTO "events" VALUES(16,1.79593915576245141026e+09,'share','01a22650bd1e00008bf62233e2271753','shared','',0,2,1,'{"of": "dataset"}');
INSERT INTO "events" VALUES(17,1.79593915585914564131e+09,'calculation','01a22650bf920000d30f24ab5a1fba45','submitted','queued',0,2,1,'{"command": "interactive_session", "application": "practice"}');
INSERT INTO "events" VALUES(18,1.79593915585914564131e+09,'session','01a22650bf920000d30f24ab5a1fba45','starting','',0,2,1,'{"application": "practice"}');
INSERT INTO "events" VALUES(19,1.79593915586973524095e+09,'calculation','01a22650bf920000d30f24ab5a1fba45','running','running',1,2,1,'{}');
INSERT INTO "events" VALUES(20,1.79593915587324929241e+09,'calculation','01a22650bf920000d30f24ab5a1fba45','successful','done',1,2,1,'{}');
INSERT INTO "events" VALUES(21,1.79593915611887693407e+09,'calculation','01a22650c09600007e4cb4c1d1175031','submitted','queued',0,1,NULL,'{"command": "noop", "application": "practice"}');
INSERT INTO "events" VALUES(22,1.79593915612323403365e+09,'calculation','01a22650c09b0000cb3e22267896b8eb','submitted','queued',0,2,1,'{"command": "read", "application": "practice"}');
INSERT INTO "events" VALUES(23,1.7959391561278364658e+09,'calculation','01a22650c09b0000cb3e22267896b8eb','running','running',1,2,1,'{}');
INSERT INTO "events" VALUES(24,1.79593915617969441416e+09,'calculation','01a22650c09b0000cb3e22267896b8eb','successful','done',1,2,1,'{"output_dataset_id": "qcrbox_ds_0x01a22650c0d6000016fc7397f1bd95fb"}');
CREATE TABLE file_contents (
	sha256 VARCHAR(64) NOT NULL, 
	size BIGINT NOT NULL, 
	refcount INTEGER DEFAULT '0' NOT NULL, 
	state VARCHAR(12) DEFAULT 'stored' NOT NULL, 
	created_at FLOAT NOT NULL, 
	checked_at FLOAT, 
	CONSTRAINT pk_file_contents PRIMARY KEY (sha256)
);
INSERT INTO "file_contents" VALUES('26ead4525130be0f0dc62e4a5ca59b1451af64b726098d81a575b201d1478bda',384,1,'stored',1.79593915523126339914e+09,NULL);
INSERT INTO "file_contents" VALUES('0f46d401bb0438a025b285c08cb8059d7b6fffb797071c37fd6c1c9fb188e220',394,1,'stored',1.7959391556479673386e+09,NULL);
INSERT INTO "file_contents" VALUES('ebca8bc1edc0d7f5a5de38d98db7cab9918eb0403e13b2f185c70316e0a3aa15',29,1,'stored',1.79593915571514081957e+09,NULL);
INSERT INTO "file_contents" VALUES('057508d50b7ed132247308653fb298b2bef9c34e5f14a4b709d0e59824649453',384,1,'stored',1.79593915617969441416e+09,NULL);
CREATE TABLE groups (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	created_at FLOAT NOT NULL, 
	gone_at FLOAT, 
	CONSTRAINT pk_groups PRIMARY KEY (id), 
	CONSTRAINT uq_groups_name UNIQUE (name)
);
INSERT INTO "groups" VALUES(1,'crystals',1.79593915382213735586e+09,NULL);
CREATE TABLE handover_items (
	handover_id VARCHAR(32) NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	object_id VARCHAR(32) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	group_id INTEGER, 
	CONSTRAINT pk_handover_items PRIMARY KEY (handover_id, kind, object_id), 
	CONSTRAINT fk_handover_items_handover_id_handovers FOREIGN KEY(handover_id) REFERENCES handovers (id)
);
CREATE TABLE handovers (
	id VARCHAR(32) NOT NULL, 
	at FLOAT NOT NULL, 
	by_id INTEGER NOT NULL, 
	subject VARCHAR(8) NOT NULL, 
	subject_id INTEGER NOT NULL, 
	decision VARCHAR(12) NOT NULL, 
	to_id INTEGER, 
	reason TEXT DEFAULT '' NOT NULL, 
	undone_at FLOAT, 
	CONSTRAINT pk_handovers PRIMARY KEY (id), 
	CONSTRAINT fk_handovers_by_id_people FOREIGN KEY(by_id) REFERENCES people (id)
);
CREATE TABLE holds (
	kind VARCHAR(12) NOT NULL, 
	object_id VARCHAR(63) NOT NULL, 
	mode VARCHAR(8) NOT NULL, 
	reason TEXT NOT NULL, 
	by_id INTEGER, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_holds PRIMARY KEY (kind, object_id), 
	CONSTRAINT fk_holds_by_id_people FOREIGN KEY(by_id) REFERENCES people (id)
);
INSERT INTO "holds" VALUES('application','1','hold','Licence',3,1.7959391560702869892e+09);
CREATE TABLE idempotency (
	owner_id INTEGER NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	request_hash VARCHAR(64) NOT NULL, 
	answer JSON NOT NULL, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_idempotency PRIMARY KEY (owner_id, "key"), 
	CONSTRAINT fk_idempotency_owner_id_people FOREIGN KEY(owner_id) REFERENCES people (id)
);
CREATE TABLE launchers (
	name VARCHAR(63) NOT NULL, 
	manager VARCHAR(40) NOT NULL, 
	host TEXT DEFAULT '' NOT NULL, 
	capacity INTEGER DEFAULT '0' NOT NULL, 
	free INTEGER, 
	applications JSON DEFAULT '[]' NOT NULL, 
	last_seen_at FLOAT NOT NULL, 
	first_seen_at FLOAT NOT NULL, 
	CONSTRAINT pk_launchers PRIMARY KEY (name)
);
INSERT INTO "launchers" VALUES('local','practice','',4,4,'[{"slug": "practice", "version": "1"}]',1.79593915305538177496e+09,1.79593915305538177496e+09);
CREATE TABLE loads (
	subject VARCHAR(8) NOT NULL, 
	subject_id INTEGER NOT NULL, 
	application_id INTEGER NOT NULL, 
	queued INTEGER DEFAULT '0' NOT NULL, 
	running INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_loads PRIMARY KEY (subject, subject_id, application_id)
);
INSERT INTO "loads" VALUES('group',1,1,0,0);
INSERT INTO "loads" VALUES('person',2,1,0,0);
INSERT INTO "loads" VALUES('person',1,1,1,0);
CREATE TABLE log_chunks (
	calculation_id VARCHAR(32) NOT NULL, 
	attempt INTEGER NOT NULL, 
	stream VARCHAR(6) NOT NULL, 
	"offset" BIGINT NOT NULL, 
	size INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_log_chunks PRIMARY KEY (calculation_id, attempt, stream, "offset"), 
	CONSTRAINT fk_log_chunks_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id)
);
INSERT INTO "log_chunks" VALUES('01a22650bddf0000f9331849b1823244',1,'stderr',0,14,1795939155.44103,'about to fail
');
CREATE TABLE people (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	stable_id VARCHAR(255) NOT NULL, 
	kind VARCHAR(20) DEFAULT 'person' NOT NULL, 
	created_at FLOAT NOT NULL, 
	last_seen_at FLOAT, 
	last_group_id INTEGER, 
	gone_at FLOAT, 
	CONSTRAINT pk_people PRIMARY KEY (id), 
	CONSTRAINT uq_people_name_stable_id UNIQUE (name, stable_id)
);
INSERT INTO "people" VALUES(1,'bob','2026-01-01T00:00:00Z','person',1.79593915367348599433e+09,1.79593915367348599433e+09,NULL,NULL);
INSERT INTO "people" VALUES(2,'ada','2026-01-01T00:00:00Z','person',1.79593915382140874867e+09,1.79593915382140874867e+09,1,NULL);
INSERT INTO "people" VALUES(3,'root','2026-01-01T00:00:00Z','person',1.79593915600587129594e+09,1.79593915600587129594e+09,NULL,NULL);
CREATE TABLE progress (
	calculation_id VARCHAR(32) NOT NULL, 
	attempt INTEGER NOT NULL, 
	fraction FLOAT, 
	text TEXT DEFAULT '' NOT NULL, 
	metrics JSON DEFAULT '{}' NOT NULL, 
	history JSON DEFAULT '[]' NOT NULL, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_progress PRIMARY KEY (calculation_id), 
	CONSTRAINT fk_progress_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id)
);
CREATE TABLE quotas (
	subject VARCHAR(16) NOT NULL, 
	subject_id INTEGER NOT NULL, 
	quota VARCHAR(20) NOT NULL, 
	"limit" FLOAT NOT NULL, 
	by_id INTEGER, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_quotas PRIMARY KEY (subject, subject_id, quota), 
	CONSTRAINT fk_quotas_by_id_people FOREIGN KEY(by_id) REFERENCES people (id)
);
INSERT INTO "quotas" VALUES('person',1,'gib',2.0,3,1.79593915601634645465e+09);
CREATE TABLE sessions (
	calculation_id VARCHAR(32) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	group_id INTEGER, 
	state VARCHAR(16) NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	keep BOOLEAN, 
	width INTEGER, 
	height INTEGER, 
	opened_at FLOAT, 
	last_input_at FLOAT, 
	warned_at FLOAT, 
	closed_at FLOAT, 
	view_only_allowed BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (calculation_id), 
	CONSTRAINT fk_sessions_calculation_id_calculations FOREIGN KEY(calculation_id) REFERENCES calculations (id), 
	CONSTRAINT fk_sessions_owner_id_people FOREIGN KEY(owner_id) REFERENCES people (id)
);
INSERT INTO "sessions" VALUES('01a22650bf920000d30f24ab5a1fba45',2,1,'closed','',NULL,NULL,NULL,NULL,NULL,NULL,1.79593915587324929241e+09,0);
CREATE TABLE shares (
	id VARCHAR(32) NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	object_id VARCHAR(32) NOT NULL, 
	person_id INTEGER, 
	group_id INTEGER, 
	mode VARCHAR(8) NOT NULL, 
	by_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	expires_at FLOAT, 
	revoked_at FLOAT, 
	CONSTRAINT pk_shares PRIMARY KEY (id), 
	CONSTRAINT fk_shares_by_id_people FOREIGN KEY(by_id) REFERENCES people (id), 
	CONSTRAINT fk_shares_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id), 
	CONSTRAINT fk_shares_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "shares" VALUES('01a22650bf350000cdf488db2d25b266','dataset','01a22650bd1e00008bf62233e2271753',1,NULL,'read',2,1.79593915576245141026e+09,NULL,NULL);
CREATE TABLE site (
	"key" VARCHAR(60) NOT NULL, 
	value JSON NOT NULL, 
	CONSTRAINT pk_site PRIMARY KEY ("key")
);
CREATE TABLE storage (
	subject VARCHAR(8) NOT NULL, 
	subject_id INTEGER NOT NULL, 
	bytes BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_storage PRIMARY KEY (subject, subject_id)
);
INSERT INTO "storage" VALUES('person',2,797);
INSERT INTO "storage" VALUES('group',1,797);
CREATE TABLE tags (
	kind VARCHAR(12) NOT NULL, 
	object_id VARCHAR(32) NOT NULL, 
	tag VARCHAR(100) NOT NULL, 
	by_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (kind, object_id, tag), 
	CONSTRAINT fk_tags_by_id_people FOREIGN KEY(by_id) REFERENCES people (id)
);
INSERT INTO "tags" VALUES('dataset','01a22650bd1e00008bf62233e2271753','good',2,1.7959391552537941933e+09);
CREATE TABLE uploads (
	id VARCHAR(32) NOT NULL, 
	purpose VARCHAR(12) NOT NULL, 
	owner_id INTEGER, 
	filename TEXT NOT NULL, 
	size BIGINT, 
	"offset" BIGINT DEFAULT '0' NOT NULL, 
	sha256 VARCHAR(64), 
	target_id VARCHAR(32), 
	group_id INTEGER, 
	calculation_id VARCHAR(32), 
	attempt INTEGER, 
	output_name VARCHAR(255) DEFAULT '' NOT NULL, 
	state VARCHAR(12) DEFAULT 'open' NOT NULL, 
	result JSON, 
	created_at FLOAT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	CONSTRAINT pk_uploads PRIMARY KEY (id), 
	CONSTRAINT fk_uploads_owner_id_people FOREIGN KEY(owner_id) REFERENCES people (id)
);
INSERT INTO "uploads" VALUES('01a22650bf640000d9a2eb9a41a1a860','dataset',2,'half.bin',10,0,NULL,NULL,1,NULL,NULL,'','open','{"about": {"name": "", "description": ""}}',1.79593915581293082231e+09,1.79593915581293082231e+09);
INSERT INTO "uploads" VALUES('01a22650c0d100002d2689c961aaa241','output',2,'refined.cif',384,384,'057508d50b7ed132247308653fb298b2bef9c34e5f14a4b709d0e59824649453',NULL,NULL,'01a22650c09b0000cb3e22267896b8eb',1,'refined','used','{"index": {"block": "quartz", "formula_sum": "O2 Si", "formula_moiety": null, "elements": "|O|Si|", "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "z": null, "temperature_k": null, "wavelength": null, "r1": 0.02, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "full": {"filename": "refined.cif", "block": "quartz", "kind": "structure", "formula_sum": "O2 Si", "formula_moiety": null, "elements": ["O", "Si"], "a": 4.9134, "b": 4.9134, "c": 5.4052, "alpha": 90.0, "beta": 90.0, "gamma": 120.0, "volume": 113.00733747372149, "niggli_a": 4.9134, "niggli_b": 4.913399999999999, "niggli_c": 5.4052, "niggli_alpha": 90.0, "niggli_beta": 90.0, "niggli_gamma": 119.99999999999999, "space_group_number": 154, "space_group_hm": "P 32 2 1", "space_group_hall": "P 32 2\"", "crystal_system": "trigonal", "z": null, "temperature_k": null, "wavelength": null, "radiation": null, "r1": 0.02, "wr2": null, "goof": null, "residual_max": null, "residual_min": null, "n_reflections": null, "n_sites": 2, "has_hkl": false, "has_res": false, "has_disorder": false, "has_hydrogens": false, "blocks": ["quartz"], "n_blocks": 1, "warnings": []}, "names": ["_atom_site.fract_x", "_atom_site.fract_y", "_atom_site.fract_z", "_atom_site.label", "_atom_site.type_symbol", "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma", "_cell.length_a", "_cell.length_b", "_cell.length_c", "_chemical_formula.sum", "_refine_ls.r_factor_gt", "_space_group.name_h-m_alt"]}}',1.79593915617594957348e+09,1.79593915617969441416e+09);
CREATE TABLE usage (
	subject VARCHAR(8) NOT NULL, 
	subject_id INTEGER NOT NULL, 
	decayed_s FLOAT NOT NULL, 
	decayed_at FLOAT NOT NULL, 
	cpu_s FLOAT DEFAULT '0' NOT NULL, 
	month VARCHAR(7) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_usage PRIMARY KEY (subject, subject_id)
);
INSERT INTO "usage" VALUES('group',1,3.48214284092817618829e-03,1.79593915630860304836e+09,3.50284576416015625e-03,'2026-11');
INSERT INTO "usage" VALUES('person',2,3.48214284092817618829e-03,1.79593915630860304836e+09,3.50284576416015625e-03,'2026-11');
CREATE INDEX ix_events_object ON events (object_id, seq);
CREATE INDEX ix_file_contents_unused ON file_contents (created_at) WHERE refcount = 0 AND state != 'removed';
CREATE INDEX ix_agents_application_id ON agents (application_id);
CREATE INDEX ix_agents_state ON agents (state);
CREATE INDEX ix_commands_application_id ON commands (application_id);
CREATE INDEX ix_idempotency_at ON idempotency (at);
CREATE INDEX ix_shares_group ON shares (group_id, kind);
CREATE INDEX ix_shares_object ON shares (object_id);
CREATE INDEX ix_shares_person ON shares (person_id, kind);
CREATE INDEX ix_tags_tag ON tags (tag, kind, object_id);
CREATE INDEX ix_uploads_calculation ON uploads (calculation_id, attempt);
CREATE INDEX ix_calculations_active ON calculations (agent_id) WHERE agent_id IS NOT NULL AND finished_at IS NULL;
CREATE INDEX ix_calculations_batch ON calculations (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ix_calculations_group ON calculations (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX ix_calculations_owner ON calculations (owner_id, id);
CREATE INDEX ix_calculations_queue ON calculations (owner_id, application_id, priority DESC, id) WHERE state = 'submitted' AND agent_id IS NULL;
CREATE INDEX ix_datasets_group ON datasets (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX ix_datasets_kind ON datasets (kind, id) WHERE kind = 'example';
CREATE INDEX ix_datasets_name ON datasets (name);
CREATE INDEX ix_datasets_owner ON datasets (owner_id, id);
CREATE INDEX ix_sessions_owner_id ON sessions (owner_id);
CREATE INDEX ix_data_files_bin ON data_files (deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX ix_data_files_dataset ON data_files (dataset_id, id);
CREATE INDEX ix_data_files_group ON data_files (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX ix_data_files_owner ON data_files (owner_id, id);
CREATE INDEX ix_data_files_sha256 ON data_files (sha256);
CREATE INDEX ix_calculation_inputs_data_file_id ON calculation_inputs (data_file_id);
CREATE INDEX ix_cif_index_formula_sum ON cif_index (formula_sum);
CREATE INDEX ix_cif_index_niggli ON cif_index (niggli_a, niggli_b);
CREATE INDEX ix_cif_index_r1 ON cif_index (r1);
CREATE INDEX ix_cif_index_space_group_number ON cif_index (space_group_number);
CREATE INDEX ix_handovers_subject ON handovers (subject, subject_id);
CREATE INDEX ix_audit_object ON audit (object_id);
CREATE INDEX ix_audit_who ON audit (who_id, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',14);
INSERT INTO "sqlite_sequence" VALUES('events',24);
COMMIT;
