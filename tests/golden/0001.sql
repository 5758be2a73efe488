BEGIN TRANSACTION;
CREATE TABLE acceptances (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	source_id INTEGER, 
	label_id INTEGER, 
	structure INTEGER NOT NULL, 
	event TEXT NOT NULL, 
	at_import INTEGER DEFAULT 0 NOT NULL, 
	why TEXT NOT NULL, 
	round_id INTEGER, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_acceptances_event CHECK (event IN ('accepted', 'revoked')), 
	CONSTRAINT ck_acceptances_either CHECK ((source_id IS NULL) <> (label_id IS NULL)), 
	CONSTRAINT fk_acceptances_label_id FOREIGN KEY(label_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_acceptances_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_acceptances_round_id FOREIGN KEY(round_id) REFERENCES rounds (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_acceptances_source_id FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_acceptances_structure FOREIGN KEY(structure) REFERENCES structures (value) ON DELETE RESTRICT
)
 STRICT

;
INSERT INTO "acceptances" VALUES(1,1,NULL,1,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(2,1,NULL,2,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(3,1,NULL,3,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(4,1,NULL,4,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(5,1,NULL,5,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(6,1,NULL,6,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(7,1,NULL,7,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(8,1,NULL,8,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(9,1,NULL,9,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(10,1,NULL,10,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(11,1,NULL,11,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(12,1,NULL,12,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(13,1,NULL,13,'accepted',1,'accepted at import',NULL,13);
INSERT INTO "acceptances" VALUES(14,1,NULL,14,'accepted',1,'accepted at import',NULL,14);
INSERT INTO "acceptances" VALUES(15,2,NULL,1,'accepted',1,'accepted at import',NULL,29);
INSERT INTO "acceptances" VALUES(16,2,NULL,2,'accepted',1,'accepted at import',NULL,29);
INSERT INTO "acceptances" VALUES(17,2,NULL,3,'accepted',1,'accepted at import',NULL,29);
INSERT INTO "acceptances" VALUES(18,2,NULL,4,'accepted',1,'accepted at import',NULL,29);
INSERT INTO "acceptances" VALUES(19,2,NULL,13,'accepted',1,'accepted at import',NULL,29);
INSERT INTO "acceptances" VALUES(20,3,NULL,1,'accepted',0,'to have a promoted round',NULL,65);
INSERT INTO "acceptances" VALUES(21,3,NULL,3,'accepted',0,'to have a promoted round',NULL,65);
INSERT INTO "acceptances" VALUES(22,NULL,6,1,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(23,NULL,6,2,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(24,NULL,6,3,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(25,NULL,6,4,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(26,NULL,6,5,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(27,NULL,6,6,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(28,NULL,6,7,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(29,NULL,6,8,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(30,NULL,6,9,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(31,NULL,6,10,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(32,NULL,6,11,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(33,NULL,6,12,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(34,NULL,6,13,'revoked',0,'to have a revocation',NULL,67);
INSERT INTO "acceptances" VALUES(35,NULL,6,14,'revoked',0,'to have a revocation',NULL,67);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE cases (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	patient_id INTEGER NOT NULL, 
	split TEXT NOT NULL, 
	source_dataset TEXT, 
	image TEXT, 
	voxels_digest TEXT, 
	slices INTEGER, 
	rows INTEGER, 
	columns INTEGER, 
	spacing_z_mm REAL, 
	spacing_y_mm REAL, 
	spacing_x_mm REAL, 
	origin TEXT, 
	direction TEXT, 
	hu_p0_5 REAL, 
	hu_p50 REAL, 
	hu_p99_5 REAL, 
	file_name TEXT, 
	file_sha256 TEXT, 
	file_shape TEXT, 
	file_affine TEXT, 
	file_orientation TEXT, 
	file_dtype TEXT, 
	file_pixdim TEXT, 
	licence TEXT, 
	excluded INTEGER DEFAULT 0 NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_cases_split CHECK (split IN ('train', 'validation', 'test')), 
	CONSTRAINT fk_cases_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_cases_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_cases_name UNIQUE (name)
)
 STRICT

;
INSERT INTO "cases" VALUES(1,'FLARE23_0001',1,'train',NULL,'1ac69e11ebd264021bcf249198864683c9f75397439baf06e40d8e1909671b7c','fc9e547537fa9eee816d3ce847790dc5eafffab56a1fc3944303053d3a30d897',22,28,28,10.0,10.0,10.0,'[-831.0, -246.625, -161.625]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1015.0,-105.0,225.0,'FLARE23_0001_0000.nii.gz','d03203044074cacd3dfd4d8ce8e4ccd05e65d14459918e5d1a3e2f57f07ddc0f','[28, 28, 22]','[-10.0, 0.0, 0.0, 161.625, 0.0, -10.0, 0.0, 246.625, 0.0, 0.0, 10.0, -831.0, 0.0, 0.0, 0.0, 1.0]','LPS','int16','[10.0, 10.0, 10.0]',NULL,0,3);
INSERT INTO "cases" VALUES(2,'FLARE23_0002',2,'train',NULL,'befa62fd63c58c6ced449ffd2067782c16346602d6edd5412020ee9c803a1d23','9624314e7d45ff97e2e0bbd5635afea9480a2287e7e5182d429aa38b0bc95376',21,33,33,10.0,10.0,10.0,'[-329.75, -192.875, -188.875]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1019.0,-147.0,222.0,'FLARE23_0002_0000.nii.gz','5e812424773b5e19443cdd60460882c88b41f6e40c618c4825ed00523a430344','[33, 33, 21]','[-10.0, 0.0, 0.0, 188.875, 0.0, 10.0, 0.0, -127.125, 0.0, 0.0, 10.0, -329.75, 0.0, 0.0, 0.0, 1.0]','LAS','int16','[10.0, 10.0, 10.0]',NULL,0,4);
INSERT INTO "cases" VALUES(3,'FLARE23_0004',3,'train',NULL,'49ffa010bd44d3f15d04bc32654f15d58dcc9b757b5553886147a914d8cfbe6d','1e443a02c1df3c7fd82091d47dc9141e6085720f6a13b7e79905179273dab93e',27,37,37,10.0,10.0,10.0,'[14.25, -206.0, -151.625]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1018.0,-910.0,2.21190000000002328305e+02,'FLARE23_0004_0000.nii.gz','ffa9c434e4b2a2dbc0d0ced374816db41791ec2211166099fb96f10910a03c42','[37, 37, 27]','[-10.0, 0.0, 0.0, 151.625, 0.0, -10.0, 0.0, 206.0, 0.0, 0.0, 10.0, 14.25, 0.0, 0.0, 0.0, 1.0]','LPS','int16','[10.0, 10.0, 10.0]',NULL,0,5);
INSERT INTO "cases" VALUES(4,'FLARE23_0007',4,'train',NULL,'f153c2fb5b3b1486cdd98b30ea9a488ad69dccd13b0346d71d3489b786d114da','6e589811a6d327e8f68a3fdf445b2a6583cf8750ac1eaafc414a6d1e138dfa6c',22,34,34,10.0,10.0,10.0,'[-416.625, -186.0, -177.625]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1015.0,-456.5,222.0,'FLARE23_0007_0000.nii.gz','619ad25a48193a5a76236c549d05c059a64da5a7105ac30de814b26912ddd027','[34, 34, 22]','[-10.0, 0.0, 0.0, 177.625, 0.0, 10.0, 0.0, -144.0, 0.0, 0.0, 10.0, -416.625, 0.0, 0.0, 0.0, 1.0]','LAS','int16','[10.0, 10.0, 10.0]',NULL,0,6);
INSERT INTO "cases" VALUES(5,'FLARE23_0008',5,'train',NULL,'59c591dd26b7e7b472d2b69eb000e963db846a0028e34cdb63e5f04358f67f57','393dcb2879d024cf9aa50750740f30986dc815f46f5c21ef9eae30d74f86c8d7',24,29,29,10.0,10.0,10.0,'[256.25, -140.125, -161.0]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1024.0,-111.0,2.27084999999999126874e+02,'FLARE23_0008_0000.nii.gz','e0981c2061542bfd60fc99d2a21f089949b8fcb192116fb40ea571480bb9c172','[29, 29, 24]','[10.0, 0.0, 0.0, -119.0, 0.0, 10.0, 0.0, -139.875, 0.0, 0.0, 10.0, 256.25, 0.0, 0.0, 0.0, 1.0]','RAS','int16','[10.0, 10.0, 10.0]',NULL,0,7);
INSERT INTO "cases" VALUES(6,'FLARE23_0003',6,'train',NULL,'8ebb316d5c73c7c1625549d73ad19c9acc73896d5384a777f4dd20fe4545a230','0a1efdd73e2df26ae9ad13120da436df42aa1c2484f2a470125c6eff0d3d2766',29,34,34,10.0,10.0,10.0,'[-351.125, -131.25, -157.875]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1021.0,-114.0,2.29385000000002037268e+02,'FLARE23_0003_0000.nii.gz','75c08e7e7fd0dbec16da908d6a3ca5d5d90a4adb9af5a89f3c1029aa1c0ac365','[34, 29, 34]','[0.0, 0.0, 10.0, -172.125, -10.0, 0.0, 0.0, 131.25, 0.0, 10.0, 0.0, -351.125, 0.0, 0.0, 0.0, 1.0]','PSR','int16','[10.0, 10.0, 10.0]',NULL,0,9);
INSERT INTO "cases" VALUES(7,'FLARE23_0005',7,'train',NULL,'3814956e5c6f6826ee1693bdcef532c3df1a97e8cce18b44c71969ca534decdb','38c4bbc22fbbf6f423fda4207b96caef05521fcd70eee1aefb5e49186cfa535e',20,35,35,10.0,10.0,10.0,'[55.75, -193.625, -155.375]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1024.0,-654.0,228.0,'FLARE23_0005_0000.nii.gz','ed6b8e41a47df54e2e3cb689ce20ee29b1f6d1fcd5297acfec5b347baf8cf4ff','[35, 35, 20]','[-10.0, 0.0, 0.0, 155.375, 0.0, 10.0, 0.0, -146.375, 0.0, 0.0, 10.0, 55.75, 0.0, 0.0, 0.0, 1.0]','LAS','int16','[10.0, 10.0, 10.0]',NULL,0,10);
INSERT INTO "cases" VALUES(8,'FLARE23_0006',8,'train',NULL,'cbb88e091f2a7468ffcb69d2c9e1883533cfb8be347b31417aa37db19316ad20','4936b83b94936741d57214261a067fc036ab249abe90a23729292ad2e631fb44',26,32,32,10.0,10.0,10.0,'[99.125, -246.25, -140.75]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1024.0,-579.0,233.0,'FLARE23_0006_0000.nii.gz','ebeb4cd465a79eadaeb463b4f412fedb85539491c17d1d866532c920197a632c','[32, 32, 26]','[-10.0, 0.0, 0.0, 140.75, 0.0, 10.0, 0.0, -63.75, 0.0, 0.0, 10.0, 99.125, 0.0, 0.0, 0.0, 1.0]','LAS','int16','[10.0, 10.0, 10.0]',NULL,0,11);
INSERT INTO "cases" VALUES(9,'FLARE23Ts_0001',9,'validation',NULL,'431cf4bb525e1c29f090dc25eee6bf544c09cf0b7ae7949ddfc75dab47b95b80','2de9b7e4921919a1830c1541469944d2376d538ff674fb3ff653d9ef366050e3',18,38,38,10.0,10.0,10.0,'[-850.5, -175.0, -191.0]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1024.0,-809.5,226.0,'FLARE23Ts_0001_0000.nii.gz','9e1c4f8815062acf214e5578c5fb58d625ccd3e70ed4e726052d185ec496c3dd','[38, 38, 18]','[-10.0, 0.0, 0.0, 191.0, 0.0, -10.0, 0.0, 175.0, 0.0, 0.0, 10.0, -850.5, 0.0, 0.0, 0.0, 1.0]','LPS','int16','[10.0, 10.0, 10.0]',NULL,0,19);
INSERT INTO "cases" VALUES(10,'FLARE23Ts_0002',10,'validation',NULL,'e58654ed9872af582a82f0755beafe82578bfe729f84ac25c1a06411a689f2d4','5764f6aed369ee6be00e925b7e7ee23bf2295e7b162ce33a3ac12e12b757c243',24,32,32,10.0,10.0,10.0,'[-199.25, -164.625, -182.375]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1016.0,-363.0,226.0,'FLARE23Ts_0002_0000.nii.gz','61526aeff8529e37265209f34805ff323d981aee42d0b805a3180d8c42ff8b72','[32, 32, 24]','[-10.0, 0.0, 0.0, 182.375, 0.0, -10.0, 0.0, 164.625, 0.0, 0.0, 10.0, -199.25, 0.0, 0.0, 0.0, 1.0]','LPS','int16','[10.0, 10.0, 10.0]',NULL,0,20);
INSERT INTO "cases" VALUES(11,'FLARE23Ts_1001',11,'test',NULL,'2eec66b64e465845a0daf3254f3cb1de44148b5834308cff8679e44e06aa3eb5','defbb801faca1afd0b94d667375aebdc38d0494e610220fb6ab95e0ab6439a61',24,31,31,10.0,10.0,10.0,'[199.75, -155.75, -184.5]','[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]',-1024.0,-459.0,222.0,'FLARE23Ts_1001_0000.nii.gz','c4905180e017791a4bb1a5ae8a384f428b83f15df49f67baf47744bbcb287aba','[31, 31, 24]','[-10.0, 0.0, 0.0, 184.5, 0.0, 10.0, 0.0, -144.25, 0.0, 0.0, 10.0, 199.75, 0.0, 0.0, 0.0, 1.0]','LAS','int16','[10.0, 10.0, 10.0]',NULL,0,25);
CREATE TABLE findings (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	severity TEXT NOT NULL, 
	case_name TEXT, 
	rule TEXT NOT NULL, 
	message TEXT NOT NULL, 
	path TEXT, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_findings_severity CHECK (severity IN ('error', 'warning', 'info')), 
	CONSTRAINT fk_findings_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT
)
 STRICT

;
CREATE TABLE label_parents (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	child_id INTEGER NOT NULL, 
	parent_id INTEGER NOT NULL, 
	CONSTRAINT fk_label_parents_child_id FOREIGN KEY(child_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_label_parents_parent_id FOREIGN KEY(parent_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_label_parents_child_id_parent_id UNIQUE (child_id, parent_id)
)
 STRICT

;
CREATE TABLE label_structures (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	label_id INTEGER NOT NULL, 
	structure INTEGER NOT NULL, 
	mode TEXT NOT NULL, 
	within TEXT DEFAULT ('') NOT NULL, 
	superset INTEGER NOT NULL, 
	voxels INTEGER NOT NULL, 
	box TEXT, 
	CONSTRAINT ck_label_structures_mode CHECK (mode IN ('exhaustive', 'positive-only')), 
	CONSTRAINT fk_label_structures_label_id FOREIGN KEY(label_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_label_structures_structure FOREIGN KEY(structure) REFERENCES structures (value) ON DELETE RESTRICT, 
	CONSTRAINT uq_label_structures_label_id_structure UNIQUE (label_id, structure)
)
 STRICT

;
INSERT INTO "label_structures" VALUES(1,1,1,'exhaustive','',0,865,'[[6, 9, 3], [20, 21, 19]]');
INSERT INTO "label_structures" VALUES(2,1,2,'exhaustive','',0,165,'[[3, 17, 7], [13, 22, 12]]');
INSERT INTO "label_structures" VALUES(3,1,3,'exhaustive','',0,97,'[[10, 14, 20], [18, 20, 25]]');
INSERT INTO "label_structures" VALUES(4,1,4,'exhaustive','',0,85,'[[6, 11, 10], [13, 17, 22]]');
INSERT INTO "label_structures" VALUES(5,1,5,'exhaustive','',0,46,'[[2, 17, 15], [21, 19, 17]]');
INSERT INTO "label_structures" VALUES(6,1,6,'exhaustive','',0,76,'[[1, 15, 11], [21, 18, 13]]');
INSERT INTO "label_structures" VALUES(7,1,7,'exhaustive','',0,1,'[[14, 19, 11], [14, 19, 11]]');
INSERT INTO "label_structures" VALUES(8,1,8,'exhaustive','',0,6,'[[12, 17, 17], [13, 19, 18]]');
INSERT INTO "label_structures" VALUES(9,1,9,'exhaustive','',0,18,'[[8, 10, 7], [11, 12, 9]]');
INSERT INTO "label_structures" VALUES(10,1,10,'exhaustive','',0,19,'[[17, 15, 14], [21, 17, 17]]');
INSERT INTO "label_structures" VALUES(11,1,11,'exhaustive','',0,345,'[[7, 8, 11], [19, 18, 23]]');
INSERT INTO "label_structures" VALUES(12,1,12,'exhaustive','',0,66,'[[4, 11, 8], [12, 16, 17]]');
INSERT INTO "label_structures" VALUES(13,1,13,'exhaustive','',0,132,'[[5, 17, 17], [15, 21, 22]]');
INSERT INTO "label_structures" VALUES(14,2,14,'exhaustive','',0,31,'[[13, 14, 14], [16, 17, 16]]');
INSERT INTO "label_structures" VALUES(15,3,1,'exhaustive','',0,1179,'[[8, 11, 5], [24, 25, 25]]');
INSERT INTO "label_structures" VALUES(16,3,2,'exhaustive','',0,245,'[[4, 21, 9], [16, 26, 16]]');
INSERT INTO "label_structures" VALUES(17,3,3,'exhaustive','',0,224,'[[12, 14, 25], [21, 22, 31]]');
INSERT INTO "label_structures" VALUES(18,3,4,'exhaustive','',0,89,'[[8, 14, 14], [15, 19, 27]]');
INSERT INTO "label_structures" VALUES(19,3,13,'exhaustive','',0,149,'[[5, 19, 23], [15, 24, 28]]');
INSERT INTO "label_structures" VALUES(20,4,1,'exhaustive','',0,1250,'[[7, 10, 5], [21, 24, 23]]');
INSERT INTO "label_structures" VALUES(21,4,2,'exhaustive','',0,187,'[[3, 19, 8], [14, 24, 13]]');
INSERT INTO "label_structures" VALUES(22,4,3,'exhaustive','',0,184,'[[11, 16, 23], [21, 23, 30]]');
INSERT INTO "label_structures" VALUES(23,4,4,'exhaustive','',0,84,'[[7, 13, 14], [15, 19, 26]]');
INSERT INTO "label_structures" VALUES(24,4,13,'exhaustive','',0,176,'[[5, 19, 21], [16, 24, 27]]');
INSERT INTO "label_structures" VALUES(25,4,14,'exhaustive','',0,43,'[[15, 11, 13], [19, 13, 17]]');
INSERT INTO "label_structures" VALUES(26,5,14,'exhaustive','',0,7,'[[5, 8, 10], [6, 9, 11]]');
INSERT INTO "label_structures" VALUES(27,6,1,'exhaustive','',0,1477,'[[0, 11, 6], [16, 26, 25]]');
INSERT INTO "label_structures" VALUES(28,6,2,'exhaustive','',0,175,'[[0, 21, 9], [8, 26, 15]]');
INSERT INTO "label_structures" VALUES(29,6,3,'exhaustive','',0,197,'[[5, 17, 25], [14, 25, 32]]');
INSERT INTO "label_structures" VALUES(30,6,4,'exhaustive','',0,103,'[[0, 14, 15], [8, 21, 29]]');
INSERT INTO "label_structures" VALUES(31,6,5,'exhaustive','',0,77,'[[0, 20, 19], [17, 22, 22]]');
INSERT INTO "label_structures" VALUES(32,6,6,'exhaustive','',0,79,'[[0, 17, 15], [17, 21, 18]]');
INSERT INTO "label_structures" VALUES(33,6,7,'exhaustive','',0,4,'[[8, 22, 14], [10, 24, 15]]');
INSERT INTO "label_structures" VALUES(34,6,8,'exhaustive','',0,5,'[[8, 20, 22], [9, 22, 23]]');
INSERT INTO "label_structures" VALUES(35,6,9,'exhaustive','',0,42,'[[0, 11, 11], [5, 15, 14]]');
INSERT INTO "label_structures" VALUES(36,6,10,'exhaustive','',0,24,'[[12, 18, 20], [17, 20, 23]]');
INSERT INTO "label_structures" VALUES(37,6,11,'exhaustive','',0,376,'[[2, 11, 17], [15, 22, 29]]');
INSERT INTO "label_structures" VALUES(38,6,12,'exhaustive','',0,71,'[[0, 13, 13], [6, 20, 24]]');
INSERT INTO "label_structures" VALUES(39,6,13,'exhaustive','',0,151,'[[0, 20, 22], [8, 25, 27]]');
INSERT INTO "label_structures" VALUES(40,6,14,'exhaustive','',0,5,'[[16, 24, 23], [17, 25, 24]]');
INSERT INTO "label_structures" VALUES(41,7,1,'exhaustive','',0,1425,'[[3, 9, 4], [21, 23, 25]]');
INSERT INTO "label_structures" VALUES(42,7,2,'exhaustive','',0,208,'[[2, 18, 6], [15, 23, 12]]');
INSERT INTO "label_structures" VALUES(43,7,3,'exhaustive','',0,145,'[[11, 16, 21], [20, 23, 28]]');
INSERT INTO "label_structures" VALUES(44,7,4,'exhaustive','',0,94,'[[5, 13, 13], [15, 20, 25]]');
INSERT INTO "label_structures" VALUES(45,7,5,'exhaustive','',0,102,'[[0, 18, 17], [23, 21, 19]]');
INSERT INTO "label_structures" VALUES(46,7,6,'exhaustive','',0,135,'[[0, 16, 12], [23, 20, 15]]');
INSERT INTO "label_structures" VALUES(47,7,7,'exhaustive','',0,3,'[[15, 19, 12], [17, 20, 13]]');
INSERT INTO "label_structures" VALUES(48,7,8,'exhaustive','',0,2,'[[14, 19, 20], [14, 20, 20]]');
INSERT INTO "label_structures" VALUES(49,7,9,'exhaustive','',0,23,'[[7, 10, 11], [10, 13, 13]]');
INSERT INTO "label_structures" VALUES(50,7,10,'exhaustive','',0,18,'[[19, 17, 16], [23, 18, 20]]');
INSERT INTO "label_structures" VALUES(51,7,11,'exhaustive','',0,459,'[[6, 10, 14], [22, 21, 26]]');
INSERT INTO "label_structures" VALUES(52,7,12,'exhaustive','',0,94,'[[3, 11, 11], [13, 18, 21]]');
INSERT INTO "label_structures" VALUES(53,7,13,'exhaustive','',0,151,'[[5, 19, 20], [15, 24, 24]]');
INSERT INTO "label_structures" VALUES(54,7,14,'exhaustive','',0,57,'[[2, 13, 7], [13, 20, 19]]');
INSERT INTO "label_structures" VALUES(55,8,1,'exhaustive','',0,954,'[[6, 8, 5], [20, 20, 22]]');
INSERT INTO "label_structures" VALUES(56,8,2,'exhaustive','',0,100,'[[4, 17, 8], [13, 21, 13]]');
INSERT INTO "label_structures" VALUES(57,8,3,'exhaustive','',0,117,'[[10, 15, 21], [18, 21, 27]]');
INSERT INTO "label_structures" VALUES(58,8,4,'exhaustive','',0,76,'[[7, 12, 12], [14, 17, 24]]');
INSERT INTO "label_structures" VALUES(59,8,5,'exhaustive','',0,55,'[[3, 17, 16], [23, 18, 18]]');
INSERT INTO "label_structures" VALUES(60,8,6,'exhaustive','',0,73,'[[2, 14, 12], [23, 18, 15]]');
INSERT INTO "label_structures" VALUES(61,8,7,'exhaustive','',0,2,'[[14, 18, 12], [15, 19, 12]]');
INSERT INTO "label_structures" VALUES(62,8,8,'exhaustive','',0,5,'[[12, 17, 18], [14, 18, 19]]');
INSERT INTO "label_structures" VALUES(63,8,9,'exhaustive','',0,20,'[[7, 10, 10], [10, 12, 12]]');
INSERT INTO "label_structures" VALUES(64,8,10,'exhaustive','',0,14,'[[17, 15, 16], [23, 16, 19]]');
INSERT INTO "label_structures" VALUES(65,8,11,'exhaustive','',0,205,'[[9, 9, 13], [19, 17, 23]]');
INSERT INTO "label_structures" VALUES(66,8,12,'exhaustive','',0,67,'[[5, 11, 10], [13, 16, 20]]');
INSERT INTO "label_structures" VALUES(67,8,13,'exhaustive','',0,113,'[[5, 17, 19], [14, 21, 24]]');
INSERT INTO "label_structures" VALUES(68,8,14,'exhaustive','',0,0,NULL);
INSERT INTO "label_structures" VALUES(69,9,1,'exhaustive','',0,1672,'[[0, 12, 6], [16, 27, 26]]');
INSERT INTO "label_structures" VALUES(70,9,2,'exhaustive','',1,322,'[[0, 21, 9], [8, 27, 27]]');
INSERT INTO "label_structures" VALUES(71,9,3,'exhaustive','',0,71,'[[6, 19, 26], [13, 25, 31]]');
INSERT INTO "label_structures" VALUES(72,9,4,'exhaustive','',0,103,'[[0, 15, 15], [8, 22, 29]]');
INSERT INTO "label_structures" VALUES(73,9,13,'exhaustive','',1,322,'[[0, 21, 9], [8, 27, 27]]');
INSERT INTO "label_structures" VALUES(74,10,1,'exhaustive','',0,1610,'[[2, 10, 4], [21, 24, 26]]');
INSERT INTO "label_structures" VALUES(75,10,2,'exhaustive','',1,396,'[[2, 17, 6], [15, 25, 24]]');
INSERT INTO "label_structures" VALUES(76,10,3,'exhaustive','',0,37,'[[11, 18, 22], [19, 23, 27]]');
INSERT INTO "label_structures" VALUES(77,10,4,'exhaustive','',0,62,'[[5, 14, 13], [12, 17, 17]]');
INSERT INTO "label_structures" VALUES(78,10,13,'exhaustive','',1,396,'[[2, 17, 6], [15, 25, 24]]');
INSERT INTO "label_structures" VALUES(79,11,1,'exhaustive','',0,1004,'[[5, 9, 3], [20, 21, 19]]');
INSERT INTO "label_structures" VALUES(80,11,2,'exhaustive','',1,297,'[[3, 17, 7], [15, 22, 22]]');
INSERT INTO "label_structures" VALUES(81,11,3,'exhaustive','',0,18,'[[10, 15, 22], [16, 18, 24]]');
INSERT INTO "label_structures" VALUES(82,11,4,'exhaustive','',0,49,'[[6, 11, 10], [12, 15, 15]]');
INSERT INTO "label_structures" VALUES(83,11,13,'exhaustive','',1,297,'[[3, 17, 7], [15, 22, 22]]');
INSERT INTO "label_structures" VALUES(84,12,1,'exhaustive','',0,1252,'[[4, 9, 6], [20, 22, 24]]');
INSERT INTO "label_structures" VALUES(85,12,2,'exhaustive','',1,349,'[[2, 17, 9], [15, 23, 25]]');
INSERT INTO "label_structures" VALUES(86,12,3,'exhaustive','',0,36,'[[12, 17, 23], [17, 21, 28]]');
INSERT INTO "label_structures" VALUES(87,12,4,'exhaustive','',0,61,'[[6, 13, 13], [12, 16, 19]]');
INSERT INTO "label_structures" VALUES(88,12,13,'exhaustive','',1,349,'[[2, 17, 9], [15, 23, 25]]');
INSERT INTO "label_structures" VALUES(89,13,1,'exhaustive','',0,1506,'[[8, 12, 5], [25, 26, 24]]');
INSERT INTO "label_structures" VALUES(90,13,2,'exhaustive','',1,420,'[[5, 20, 8], [18, 26, 26]]');
INSERT INTO "label_structures" VALUES(91,13,3,'exhaustive','',0,61,'[[13, 20, 24], [21, 25, 28]]');
INSERT INTO "label_structures" VALUES(92,13,4,'exhaustive','',0,114,'[[8, 15, 12], [16, 23, 26]]');
INSERT INTO "label_structures" VALUES(93,13,13,'exhaustive','',1,420,'[[5, 20, 8], [18, 26, 26]]');
INSERT INTO "label_structures" VALUES(94,14,1,'exhaustive','',0,1395,'[[7, 11, 5], [24, 25, 25]]');
INSERT INTO "label_structures" VALUES(95,14,2,'exhaustive','',1,382,'[[4, 19, 9], [16, 26, 28]]');
INSERT INTO "label_structures" VALUES(96,14,3,'exhaustive','',0,86,'[[13, 15, 27], [20, 21, 30]]');
INSERT INTO "label_structures" VALUES(97,14,4,'exhaustive','',0,89,'[[8, 14, 14], [15, 19, 27]]');
INSERT INTO "label_structures" VALUES(98,14,13,'exhaustive','',1,382,'[[4, 19, 9], [16, 26, 28]]');
INSERT INTO "label_structures" VALUES(99,15,1,'exhaustive','',0,1551,'[[5, 10, 4], [19, 25, 23]]');
INSERT INTO "label_structures" VALUES(100,15,2,'exhaustive','',1,399,'[[2, 19, 8], [16, 25, 26]]');
INSERT INTO "label_structures" VALUES(101,15,3,'exhaustive','',0,91,'[[10, 16, 24], [19, 22, 29]]');
INSERT INTO "label_structures" VALUES(102,15,4,'exhaustive','',0,43,'[[5, 14, 14], [12, 17, 18]]');
INSERT INTO "label_structures" VALUES(103,15,13,'exhaustive','',1,399,'[[2, 19, 8], [16, 25, 26]]');
INSERT INTO "label_structures" VALUES(104,16,1,'exhaustive','',0,1416,'[[4, 10, 4], [22, 23, 24]]');
INSERT INTO "label_structures" VALUES(105,16,2,'exhaustive','',1,398,'[[3, 18, 7], [15, 25, 24]]');
INSERT INTO "label_structures" VALUES(106,16,3,'exhaustive','',0,45,'[[11, 19, 22], [18, 23, 26]]');
INSERT INTO "label_structures" VALUES(107,16,4,'exhaustive','',0,107,'[[6, 13, 12], [13, 21, 24]]');
INSERT INTO "label_structures" VALUES(108,16,13,'exhaustive','',1,398,'[[3, 18, 7], [15, 25, 24]]');
INSERT INTO "label_structures" VALUES(109,17,1,'exhaustive','',0,1498,'[[6, 11, 5], [21, 25, 24]]');
INSERT INTO "label_structures" VALUES(110,17,2,'exhaustive','',1,359,'[[3, 20, 8], [16, 25, 27]]');
INSERT INTO "label_structures" VALUES(111,17,3,'exhaustive','',0,63,'[[12, 18, 24], [20, 22, 29]]');
INSERT INTO "label_structures" VALUES(112,17,4,'exhaustive','',0,40,'[[7, 15, 14], [13, 18, 16]]');
INSERT INTO "label_structures" VALUES(113,17,13,'exhaustive','',1,359,'[[3, 20, 8], [16, 25, 27]]');
INSERT INTO "label_structures" VALUES(114,18,1,'exhaustive','',0,1070,'[[6, 8, 2], [21, 20, 20]]');
INSERT INTO "label_structures" VALUES(115,18,2,'exhaustive','',1,283,'[[3, 16, 5], [14, 20, 22]]');
INSERT INTO "label_structures" VALUES(116,18,3,'exhaustive','',0,70,'[[11, 14, 19], [19, 19, 24]]');
INSERT INTO "label_structures" VALUES(117,18,4,'exhaustive','',0,30,'[[7, 12, 10], [12, 14, 13]]');
INSERT INTO "label_structures" VALUES(118,18,13,'exhaustive','',1,283,'[[3, 16, 5], [14, 20, 22]]');
INSERT INTO "label_structures" VALUES(119,19,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(120,19,2,'exhaustive','',0,107,'[[1, 1, 1], [16, 37, 35]]');
INSERT INTO "label_structures" VALUES(121,19,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(122,19,4,'exhaustive','',0,2706,'[[0, 0, 0], [17, 37, 36]]');
INSERT INTO "label_structures" VALUES(123,19,5,'exhaustive','',0,2373,'[[0, 0, 0], [17, 37, 37]]');
INSERT INTO "label_structures" VALUES(124,19,6,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(125,19,7,'exhaustive','',0,216,'[[0, 0, 0], [17, 37, 35]]');
INSERT INTO "label_structures" VALUES(126,19,8,'exhaustive','',0,108,'[[1, 1, 0], [17, 36, 36]]');
INSERT INTO "label_structures" VALUES(127,19,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(128,19,10,'exhaustive','',0,502,'[[0, 0, 0], [17, 37, 37]]');
INSERT INTO "label_structures" VALUES(129,19,11,'exhaustive','',0,15626,'[[0, 0, 0], [17, 37, 37]]');
INSERT INTO "label_structures" VALUES(130,19,12,'exhaustive','',0,738,'[[0, 0, 1], [17, 37, 37]]');
INSERT INTO "label_structures" VALUES(131,19,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(132,20,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(133,20,2,'exhaustive','',0,254,'[[1, 0, 1], [23, 31, 29]]');
INSERT INTO "label_structures" VALUES(134,20,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(135,20,4,'exhaustive','',0,3274,'[[0, 0, 0], [23, 31, 31]]');
INSERT INTO "label_structures" VALUES(136,20,5,'exhaustive','',0,2866,'[[0, 0, 0], [23, 31, 31]]');
INSERT INTO "label_structures" VALUES(137,20,6,'exhaustive','',0,1,'[[3, 14, 13], [3, 14, 13]]');
INSERT INTO "label_structures" VALUES(138,20,7,'exhaustive','',0,508,'[[0, 0, 0], [23, 31, 31]]');
INSERT INTO "label_structures" VALUES(139,20,8,'exhaustive','',0,111,'[[1, 0, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(140,20,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(141,20,10,'exhaustive','',0,474,'[[0, 0, 0], [23, 31, 31]]');
INSERT INTO "label_structures" VALUES(142,20,11,'exhaustive','',0,12552,'[[0, 0, 0], [23, 31, 31]]');
INSERT INTO "label_structures" VALUES(143,20,12,'exhaustive','',0,596,'[[0, 0, 1], [23, 31, 31]]');
INSERT INTO "label_structures" VALUES(144,20,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(145,21,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(146,21,2,'exhaustive','',0,211,'[[1, 1, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(147,21,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(148,21,4,'exhaustive','',0,2924,'[[0, 0, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(149,21,5,'exhaustive','',0,2725,'[[0, 0, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(150,21,6,'exhaustive','',0,2,'[[9, 2, 3], [17, 27, 26]]');
INSERT INTO "label_structures" VALUES(151,21,7,'exhaustive','',0,416,'[[0, 0, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(152,21,8,'exhaustive','',0,114,'[[0, 0, 1], [23, 29, 29]]');
INSERT INTO "label_structures" VALUES(153,21,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(154,21,10,'exhaustive','',0,478,'[[0, 0, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(155,21,11,'exhaustive','',0,12156,'[[0, 0, 0], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(156,21,12,'exhaustive','',0,580,'[[0, 0, 1], [23, 30, 30]]');
INSERT INTO "label_structures" VALUES(157,21,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(158,22,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(159,22,2,'exhaustive','',0,109,'[[1, 1, 1], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(160,22,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(161,22,4,'exhaustive','',0,2251,'[[0, 0, 0], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(162,22,5,'exhaustive','',0,1853,'[[0, 0, 1], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(163,22,6,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(164,22,7,'exhaustive','',0,234,'[[0, 0, 0], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(165,22,8,'exhaustive','',0,79,'[[1, 1, 1], [21, 27, 26]]');
INSERT INTO "label_structures" VALUES(166,22,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(167,22,10,'exhaustive','',0,325,'[[0, 0, 0], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(168,22,11,'exhaustive','',0,9366,'[[0, 0, 0], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(169,22,12,'exhaustive','',0,467,'[[0, 0, 1], [21, 27, 27]]');
INSERT INTO "label_structures" VALUES(170,22,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(171,23,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(172,23,2,'exhaustive','',0,120,'[[1, 1, 1], [20, 32, 30]]');
INSERT INTO "label_structures" VALUES(173,23,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(174,23,4,'exhaustive','',0,2557,'[[0, 0, 0], [20, 32, 31]]');
INSERT INTO "label_structures" VALUES(175,23,5,'exhaustive','',0,2051,'[[0, 0, 0], [20, 32, 32]]');
INSERT INTO "label_structures" VALUES(176,23,6,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(177,23,7,'exhaustive','',0,224,'[[0, 0, 1], [20, 32, 32]]');
INSERT INTO "label_structures" VALUES(178,23,8,'exhaustive','',0,57,'[[0, 1, 1], [20, 31, 29]]');
INSERT INTO "label_structures" VALUES(179,23,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(180,23,10,'exhaustive','',0,458,'[[0, 0, 1], [20, 32, 32]]');
INSERT INTO "label_structures" VALUES(181,23,11,'exhaustive','',0,13592,'[[0, 0, 0], [20, 32, 32]]');
INSERT INTO "label_structures" VALUES(182,23,12,'exhaustive','',0,677,'[[0, 0, 1], [20, 32, 32]]');
INSERT INTO "label_structures" VALUES(183,23,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(184,24,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(185,24,2,'exhaustive','',0,132,'[[0, 1, 1], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(186,24,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(187,24,4,'exhaustive','',0,4214,'[[0, 0, 0], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(188,24,5,'exhaustive','',0,3410,'[[0, 0, 0], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(189,24,6,'exhaustive','',0,3,'[[7, 5, 13], [25, 28, 29]]');
INSERT INTO "label_structures" VALUES(190,24,7,'exhaustive','',0,347,'[[0, 0, 0], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(191,24,8,'exhaustive','',0,122,'[[0, 1, 0], [28, 32, 30]]');
INSERT INTO "label_structures" VALUES(192,24,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(193,24,10,'exhaustive','',0,624,'[[0, 0, 0], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(194,24,11,'exhaustive','',0,18690,'[[0, 0, 0], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(195,24,12,'exhaustive','',0,873,'[[0, 0, 1], [28, 33, 33]]');
INSERT INTO "label_structures" VALUES(196,24,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(197,25,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(198,25,2,'exhaustive','',0,178,'[[1, 1, 1], [26, 36, 36]]');
INSERT INTO "label_structures" VALUES(199,25,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(200,25,4,'exhaustive','',0,4082,'[[0, 0, 0], [26, 36, 36]]');
INSERT INTO "label_structures" VALUES(201,25,5,'exhaustive','',0,3721,'[[0, 0, 0], [26, 36, 36]]');
INSERT INTO "label_structures" VALUES(202,25,6,'exhaustive','',0,2,'[[3, 3, 0], [7, 4, 28]]');
INSERT INTO "label_structures" VALUES(203,25,7,'exhaustive','',0,380,'[[0, 0, 0], [26, 36, 34]]');
INSERT INTO "label_structures" VALUES(204,25,8,'exhaustive','',0,125,'[[1, 1, 1], [26, 35, 33]]');
INSERT INTO "label_structures" VALUES(205,25,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(206,25,10,'exhaustive','',0,697,'[[0, 0, 0], [26, 36, 36]]');
INSERT INTO "label_structures" VALUES(207,25,11,'exhaustive','',0,21779,'[[0, 0, 0], [26, 36, 36]]');
INSERT INTO "label_structures" VALUES(208,25,12,'exhaustive','',0,1080,'[[0, 0, 1], [26, 36, 36]]');
INSERT INTO "label_structures" VALUES(209,25,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(210,26,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(211,26,2,'exhaustive','',0,143,'[[1, 1, 1], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(212,26,3,'exhaustive','',0,1,'[[17, 7, 21], [17, 7, 21]]');
INSERT INTO "label_structures" VALUES(213,26,4,'exhaustive','',0,2994,'[[0, 0, 0], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(214,26,5,'exhaustive','',0,2555,'[[0, 0, 0], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(215,26,6,'exhaustive','',0,1,'[[1, 22, 14], [1, 22, 14]]');
INSERT INTO "label_structures" VALUES(216,26,7,'exhaustive','',0,244,'[[0, 0, 0], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(217,26,8,'exhaustive','',0,93,'[[1, 2, 0], [19, 33, 33]]');
INSERT INTO "label_structures" VALUES(218,26,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(219,26,10,'exhaustive','',0,492,'[[0, 0, 0], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(220,26,11,'exhaustive','',0,13625,'[[0, 0, 0], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(221,26,12,'exhaustive','',0,700,'[[0, 0, 1], [19, 34, 34]]');
INSERT INTO "label_structures" VALUES(222,26,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(223,27,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(224,27,2,'exhaustive','',0,188,'[[1, 1, 1], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(225,27,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(226,27,4,'exhaustive','',0,3082,'[[0, 0, 0], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(227,27,5,'exhaustive','',0,2630,'[[0, 0, 0], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(228,27,6,'exhaustive','',0,1,'[[8, 30, 1], [8, 30, 1]]');
INSERT INTO "label_structures" VALUES(229,27,7,'exhaustive','',0,388,'[[0, 0, 1], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(230,27,8,'exhaustive','',0,95,'[[1, 1, 1], [25, 30, 30]]');
INSERT INTO "label_structures" VALUES(231,27,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(232,27,10,'exhaustive','',0,556,'[[0, 0, 0], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(233,27,11,'exhaustive','',0,15046,'[[0, 0, 0], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(234,27,12,'exhaustive','',0,790,'[[0, 0, 1], [25, 31, 31]]');
INSERT INTO "label_structures" VALUES(235,27,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(236,28,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(237,28,2,'exhaustive','',0,188,'[[1, 1, 0], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(238,28,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(239,28,4,'exhaustive','',0,3169,'[[0, 0, 0], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(240,28,5,'exhaustive','',0,2739,'[[0, 0, 0], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(241,28,6,'exhaustive','',0,1,'[[20, 24, 1], [20, 24, 1]]');
INSERT INTO "label_structures" VALUES(242,28,7,'exhaustive','',0,346,'[[0, 0, 0], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(243,28,8,'exhaustive','',0,93,'[[1, 1, 1], [21, 32, 32]]');
INSERT INTO "label_structures" VALUES(244,28,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(245,28,10,'exhaustive','',0,500,'[[0, 0, 0], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(246,28,11,'exhaustive','',0,13820,'[[0, 0, 0], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(247,28,12,'exhaustive','',0,634,'[[0, 0, 1], [21, 33, 33]]');
INSERT INTO "label_structures" VALUES(248,28,13,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(249,29,1,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(250,29,2,'exhaustive','',0,160,'[[1, 1, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(251,29,3,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(252,29,4,'exhaustive','',0,2583,'[[0, 0, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(253,29,5,'exhaustive','',0,2049,'[[0, 0, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(254,29,6,'exhaustive','',0,1,'[[2, 3, 9], [2, 3, 9]]');
INSERT INTO "label_structures" VALUES(255,29,7,'exhaustive','',0,314,'[[0, 0, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(256,29,8,'exhaustive','',0,77,'[[1, 0, 1], [23, 27, 25]]');
INSERT INTO "label_structures" VALUES(257,29,9,'positive-only','',0,0,NULL);
INSERT INTO "label_structures" VALUES(258,29,10,'exhaustive','',0,404,'[[0, 0, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(259,29,11,'exhaustive','',0,10887,'[[0, 0, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(260,29,12,'exhaustive','',0,515,'[[0, 0, 0], [23, 28, 28]]');
INSERT INTO "label_structures" VALUES(261,29,13,'positive-only','',0,0,NULL);
CREATE TABLE labels (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	case_id INTEGER NOT NULL, 
	source_id INTEGER NOT NULL, 
	annotator TEXT DEFAULT ('') NOT NULL, 
	revision INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	volume TEXT, 
	mapping_id INTEGER NOT NULL, 
	annotated_at TEXT NOT NULL, 
	model_id INTEGER, 
	file_name TEXT, 
	file_sha256 TEXT, 
	file_shape TEXT, 
	file_affine TEXT, 
	file_orientation TEXT, 
	file_dtype TEXT, 
	file_pixdim TEXT, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_labels_kind CHECK (kind IN ('ground-truth', 'tumor-only', 'external', 'pseudo', 'fused')), 
	CONSTRAINT fk_labels_case_id FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_labels_mapping_id FOREIGN KEY(mapping_id) REFERENCES mappings (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_labels_model_id FOREIGN KEY(model_id) REFERENCES models (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_labels_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_labels_source_id FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_labels_case_id_source_id_annotator_revision UNIQUE (case_id, source_id, annotator, revision)
)
 STRICT

;
INSERT INTO "labels" VALUES(1,1,1,'',1,'ground-truth','7259a8c669a61bbf5454d9b00763fbe99a92a21df661fd546dbcdecc7e28b188',1,'2026-11-23T13:19:28.934895+00:00',NULL,'FLARE23_0001.nii.gz','38091083b02d388df4d362c303506760248790bd00616d0b43d821e04bb6592a','[28, 28, 22]','[-10.0, 0.0, 0.0, 161.625, 0.0, -10.0, 0.0, 246.625, 0.0, 0.0, 10.0, -831.0, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',13);
INSERT INTO "labels" VALUES(2,2,1,'',1,'tumor-only','1f4d6a48d0df4c420eb84437e079e6d44d6e0b49b59693bc86dfacddf8e02cec',1,'2026-11-23T13:19:28.935441+00:00',NULL,'FLARE23_0002.nii.gz','3f56778271a622a88dc66c5a7d4a2a0071a4282e81644db88a8ab492fe9bb602','[33, 33, 21]','[-10.0, 0.0, 0.0, 188.875, 0.0, 10.0, 0.0, -127.125, 0.0, 0.0, 10.0, -329.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',14);
INSERT INTO "labels" VALUES(3,3,1,'',1,'ground-truth','fe1dcf03b4d593e396065033efcbd47b6cdcee684228f0f30e03bb9dd5998581',1,'2026-11-23T13:19:29.004282+00:00',NULL,'FLARE23_0004.nii.gz','226ad9eaa8a1c093f80316cbde16549d55319b985ccbdf23ece9428109f8f05c','[37, 37, 27]','[-10.0, 0.0, 0.0, 151.625, 0.0, -10.0, 0.0, 206.0, 0.0, 0.0, 10.0, 14.25, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',15);
INSERT INTO "labels" VALUES(4,4,1,'',1,'ground-truth','f20ed628bdf8b7bbedf0ffdb9802823eb4cd96f865f578c4d18ee831303db3c2',1,'2026-11-23T13:19:29.000374+00:00',NULL,'FLARE23_0007.nii.gz','52d8f09875b0f0e5b9f680869e9f69083147b997bec197565e30a010eb63896f','[34, 34, 22]','[-10.0, 0.0, 0.0, 177.625, 0.0, 10.0, 0.0, -144.0, 0.0, 0.0, 10.0, -416.625, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',16);
INSERT INTO "labels" VALUES(5,5,1,'',1,'tumor-only','b71d42fa2f16f6fb57b548a055e1bdb5ec78639f7274d098530547349c469cb6',1,'2026-11-23T13:19:29.023737+00:00',NULL,'FLARE23_0008.nii.gz','2363b3c4f4bd10a9b04a933d8c36fd5d6d6c53a6ff958054164daeecc549ef60','[29, 29, 24]','[10.0, 0.0, 0.0, -119.0, 0.0, 10.0, 0.0, -139.875, 0.0, 0.0, 10.0, 256.25, 0.0, 0.0, 0.0, 1.0]','RAS','uint8','[10.0, 10.0, 10.0]',17);
INSERT INTO "labels" VALUES(6,9,1,'',1,'ground-truth','669b85abdb7993379d49832f3b9edeecea179716546e3bc48736be5a128e874c',1,'2026-11-23T13:19:29.124205+00:00',NULL,'FLARE23Ts_0001.nii.gz','b5e8324a42abd3c3a93597d5c8a7ff12892be9e228ce46a200fd62d39523b23c','[38, 38, 18]','[-10.0, 0.0, 0.0, 191.0, 0.0, -10.0, 0.0, 175.0, 0.0, 0.0, 10.0, -850.5, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',22);
INSERT INTO "labels" VALUES(7,10,1,'',1,'ground-truth','3e00e5d33df2d458a553e42934c3600bcbef38e901e0d788bb7ae73170c8b874',1,'2026-11-23T13:19:29.141503+00:00',NULL,'FLARE23Ts_0002.nii.gz','32b3e034cfd1f4bcb140b78a00faa95ddcaf5538bbbf6245252513def928109e','[32, 32, 24]','[-10.0, 0.0, 0.0, 182.375, 0.0, -10.0, 0.0, 164.625, 0.0, 0.0, 10.0, -199.25, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',23);
INSERT INTO "labels" VALUES(8,11,1,'',1,'ground-truth','5b0bfe0702a11031af483eb7632f07cb4ebb565666337e782f43ae0c2c2a6457',1,'2026-11-23T13:19:29.232889+00:00',NULL,'FLARE23Ts_1001.nii.gz','8df4546659af06a6226fcaaaf634914ff2b569e75bba516f74dd0778997c04d4','[31, 31, 24]','[-10.0, 0.0, 0.0, 184.5, 0.0, 10.0, 0.0, -144.25, 0.0, 0.0, 10.0, 199.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',27);
INSERT INTO "labels" VALUES(9,9,2,'',1,'external','517422f62dc8dc3a9ef677b49a0f3370ffdc1541d35b9e524d4501c72ce7ebbe',2,'2026-11-23T13:19:29.298048+00:00',NULL,'FLARE23Ts_0001.nii.gz','f6788bf19d8d72fd33ebd09ba6307d393eb608775bed8bba1fd9e91c8c72f779','[38, 38, 18]','[-10.0, 0.0, 0.0, 191.0, 0.0, -10.0, 0.0, 175.0, 0.0, 0.0, 10.0, -850.5, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',29);
INSERT INTO "labels" VALUES(10,10,2,'',1,'external','58e83a2e892fe818ed8e70260899f390ea5e8f6a2851d0da290b43b24b1beca7',2,'2026-11-23T13:19:29.319015+00:00',NULL,'FLARE23Ts_0002.nii.gz','0314be940087c3d155b4e1c4b02f39963f8de51f23de560875c7b37e246ed969','[32, 32, 24]','[-10.0, 0.0, 0.0, 182.375, 0.0, -10.0, 0.0, 164.625, 0.0, 0.0, 10.0, -199.25, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',30);
INSERT INTO "labels" VALUES(11,1,2,'',1,'external','1dccdee16edde6aef777b18c4348eb7a2d708d5c42be44f0c0192d4a4f1f6e01',2,'2026-11-23T13:19:29.335639+00:00',NULL,'FLARE23_0001.nii.gz','081c565687e7bade27b1ec168f7aea51dd3dac700e5715f2d79fb157b7f159ff','[28, 28, 22]','[-10.0, 0.0, 0.0, 161.625, 0.0, -10.0, 0.0, 246.625, 0.0, 0.0, 10.0, -831.0, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',31);
INSERT INTO "labels" VALUES(12,2,2,'',1,'external','48e903ab7af0705f298b356bae3acc72973a52b99fd9d03374392e263925d06b',2,'2026-11-23T13:19:29.361310+00:00',NULL,'FLARE23_0002.nii.gz','ec7ef3b9f620dd2cbd2ef8a880536502e215bf6fcfcebffa7c09c94366ddf4b0','[33, 33, 21]','[-10.0, 0.0, 0.0, 188.875, 0.0, 10.0, 0.0, -127.125, 0.0, 0.0, 10.0, -329.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',32);
INSERT INTO "labels" VALUES(13,6,2,'',1,'external','8fb6942422321a7e82ab7d6243f1dab84bef8755710cd2cdb29974523cce3835',2,'2026-11-23T13:19:29.377661+00:00',NULL,'FLARE23_0003.nii.gz','4849ed5d66b3380415d7e23cc9df54483ea1a1c08ba399e33c8c13aead0eff13','[34, 29, 34]','[0.0, 0.0, 10.0, -172.125, -10.0, 0.0, 0.0, 131.25, 0.0, 10.0, 0.0, -351.125, 0.0, 0.0, 0.0, 1.0]','PSR','uint8','[10.0, 10.0, 10.0]',33);
INSERT INTO "labels" VALUES(14,3,2,'',1,'external','443b1a160b2e3a1af496e4a4351e34cffba1528168711cceefb2df2ef578b038',2,'2026-11-23T13:19:29.410066+00:00',NULL,'FLARE23_0004.nii.gz','2867ea49e3a00af1188110919422de5bc7d589ea392e2c8865434692c4150fa9','[37, 37, 27]','[-10.0, 0.0, 0.0, 151.625, 0.0, -10.0, 0.0, 206.0, 0.0, 0.0, 10.0, 14.25, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',34);
INSERT INTO "labels" VALUES(15,7,2,'',1,'external','c73cc2091bf6790111b3e9d66dc042076053765ba68f60d0967ddeee5942d82d',2,'2026-11-23T13:19:29.428761+00:00',NULL,'FLARE23_0005.nii.gz','22a6f7b5424ff534867cbbdb16382b40dcf54285711522f414a4074d11d6374a','[35, 35, 20]','[-10.0, 0.0, 0.0, 155.375, 0.0, 10.0, 0.0, -146.375, 0.0, 0.0, 10.0, 55.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',35);
INSERT INTO "labels" VALUES(16,8,2,'',1,'external','9f675c71c201595cbf108b433e7a1d8a7afbabbc0490a3a56f7219b00f1f378a',2,'2026-11-23T13:19:29.463738+00:00',NULL,'FLARE23_0006.nii.gz','930f74d71af0bb064998726ea3e703104145849bc24f57dd2cec9f8097bda211','[32, 32, 26]','[-10.0, 0.0, 0.0, 140.75, 0.0, 10.0, 0.0, -63.75, 0.0, 0.0, 10.0, 99.125, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',36);
INSERT INTO "labels" VALUES(17,4,2,'',1,'external','308849c0d923a90adca629b167a661e2c5cc3170b1aff27659765042df594cd3',2,'2026-11-23T13:19:29.473666+00:00',NULL,'FLARE23_0007.nii.gz','eceb32cce26d20a7a8e65ba86b4fb1aac7f639d1e0ce33402ab2254f73443192','[34, 34, 22]','[-10.0, 0.0, 0.0, 177.625, 0.0, 10.0, 0.0, -144.0, 0.0, 0.0, 10.0, -416.625, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',37);
INSERT INTO "labels" VALUES(18,5,2,'',1,'external','151587cf730c3a0fb67f9248b4f6ed60ff31b109b28e38688021ceacf3dc8863',2,'2026-11-23T13:19:29.498280+00:00',NULL,'FLARE23_0008.nii.gz','e4a79fe8e780068de70736e813b7011ce91cf5fba6531258dd7d001a54b3a04e','[29, 29, 24]','[10.0, 0.0, 0.0, -119.0, 0.0, 10.0, 0.0, -139.875, 0.0, 0.0, 10.0, 256.25, 0.0, 0.0, 0.0, 1.0]','RAS','uint8','[10.0, 10.0, 10.0]',38);
INSERT INTO "labels" VALUES(19,9,3,'',1,'pseudo','08190d30a8d345dec77d127ac230bec608a980bfcaaad329627435f87f0766d8',1,'2026-11-23T13:19:32.719198+00:00',1,NULL,NULL,'[38, 38, 18]','[-10.0, 0.0, 0.0, 191.0, 0.0, -10.0, 0.0, 175.0, 0.0, 0.0, 10.0, -850.5, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',44);
INSERT INTO "labels" VALUES(20,10,3,'',1,'pseudo','3a4b000d9df2481cbf421f7319663b7c1afa278641a3ef5dc9569479e9ec8689',1,'2026-11-23T13:19:32.865180+00:00',1,NULL,NULL,'[32, 32, 24]','[-10.0, 0.0, 0.0, 182.375, 0.0, -10.0, 0.0, 164.625, 0.0, 0.0, 10.0, -199.25, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',45);
INSERT INTO "labels" VALUES(21,11,3,'',1,'pseudo','9aab9bccc1d6c122bd08b22a7d9e41dea63bd75bb3e7890b0c5d99cc8475c66b',1,'2026-11-23T13:19:32.988018+00:00',1,NULL,NULL,'[31, 31, 24]','[-10.0, 0.0, 0.0, 184.5, 0.0, 10.0, 0.0, -144.25, 0.0, 0.0, 10.0, 199.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',46);
INSERT INTO "labels" VALUES(22,1,3,'',1,'pseudo','cd046a0f379310ef25d7b214048e9233388e65b9b459a69f6e631b7707827898',1,'2026-11-23T13:19:33.107908+00:00',1,NULL,NULL,'[28, 28, 22]','[-10.0, 0.0, 0.0, 161.625, 0.0, -10.0, 0.0, 246.625, 0.0, 0.0, 10.0, -831.0, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',47);
INSERT INTO "labels" VALUES(23,2,3,'',1,'pseudo','63127eba40b09d89117a025b5a5ad6326a4b346fcb2df8acb7f1111b4ac87262',1,'2026-11-23T13:19:33.275917+00:00',1,NULL,NULL,'[33, 33, 21]','[-10.0, 0.0, 0.0, 188.875, 0.0, 10.0, 0.0, -127.125, 0.0, 0.0, 10.0, -329.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',48);
INSERT INTO "labels" VALUES(24,6,3,'',1,'pseudo','c5698ac9d62f39ba6b2878d73301754903df9c651b2122d4342e6a2490ea9484',1,'2026-11-23T13:19:33.464769+00:00',1,NULL,NULL,'[34, 29, 34]','[0.0, 0.0, 10.0, -172.125, -10.0, 0.0, 0.0, 131.25, 0.0, 10.0, 0.0, -351.125, 0.0, 0.0, 0.0, 1.0]','PSR','uint8','[10.0, 10.0, 10.0]',49);
INSERT INTO "labels" VALUES(25,3,3,'',1,'pseudo','cc18a43fd5fa71e4fc315ab9dae4fe63a88c9870e805fbba1a09ff28ada36a5a',1,'2026-11-23T13:19:33.622029+00:00',1,NULL,NULL,'[37, 37, 27]','[-10.0, 0.0, 0.0, 151.625, 0.0, -10.0, 0.0, 206.0, 0.0, 0.0, 10.0, 14.25, 0.0, 0.0, 0.0, 1.0]','LPS','uint8','[10.0, 10.0, 10.0]',50);
INSERT INTO "labels" VALUES(26,7,3,'',1,'pseudo','df14363fc9fc48c2f0f03d8eeec5a748cdff01c1fa9facebb050326860a0f2a9',1,'2026-11-23T13:19:33.829249+00:00',1,NULL,NULL,'[35, 35, 20]','[-10.0, 0.0, 0.0, 155.375, 0.0, 10.0, 0.0, -146.375, 0.0, 0.0, 10.0, 55.75, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',51);
INSERT INTO "labels" VALUES(27,8,3,'',1,'pseudo','b93d871d1b243c356c62b2056975d82b62afd160fb9cc91e7f13705dd8300eec',1,'2026-11-23T13:19:34.018225+00:00',1,NULL,NULL,'[32, 32, 26]','[-10.0, 0.0, 0.0, 140.75, 0.0, 10.0, 0.0, -63.75, 0.0, 0.0, 10.0, 99.125, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',52);
INSERT INTO "labels" VALUES(28,4,3,'',1,'pseudo','6a8c611b32dd405ebd5debeaf1f4182b3f7beeecbc77499d5c9b741b832daf9b',1,'2026-11-23T13:19:34.229775+00:00',1,NULL,NULL,'[34, 34, 22]','[-10.0, 0.0, 0.0, 177.625, 0.0, 10.0, 0.0, -144.0, 0.0, 0.0, 10.0, -416.625, 0.0, 0.0, 0.0, 1.0]','LAS','uint8','[10.0, 10.0, 10.0]',53);
INSERT INTO "labels" VALUES(29,5,3,'',1,'pseudo','4ac70315ba79ee12bfc7026f9b7832006363b94497571cbce5a93ef456ce3752',1,'2026-11-23T13:19:34.345413+00:00',1,NULL,NULL,'[29, 29, 24]','[10.0, 0.0, 0.0, -119.0, 0.0, 10.0, 0.0, -139.875, 0.0, 0.0, 10.0, 256.25, 0.0, 0.0, 0.0, 1.0]','RAS','uint8','[10.0, 10.0, 10.0]',54);
CREATE TABLE mappings (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT uq_mappings_digest UNIQUE (digest)
)
 STRICT

;
INSERT INTO "mappings" VALUES(1,'identity','cca5378c670c1ed0c880eb71edd4f2a3337eaf89e06b61bea40f67aa2b761d7a','{"codes": {"1": ["liver"], "10": ["esophagus"], "11": ["stomach"], "12": ["duodenum"], "13": ["left_kidney"], "14": ["tumor"], "2": ["right_kidney"], "3": ["spleen"], "4": ["pancreas"], "5": ["aorta"], "6": ["inferior_vena_cava"], "7": ["right_adrenal_gland"], "8": ["left_adrenal_gland"], "9": ["gallbladder"]}, "ignore": [], "range": 14}');
INSERT INTO "mappings" VALUES(2,'flare21','4b0e1e014c2c4b3f6b611d1c8db75aad3a668a3235077bc8e60f10dd9af3d79e','{"codes": {"1": ["liver"], "2": ["left_kidney", "right_kidney"], "3": ["spleen"], "4": ["pancreas"]}, "ignore": [], "range": 4}');
CREATE TABLE models (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	task_id INTEGER NOT NULL, 
	snapshot_id INTEGER NOT NULL, 
	parent_id INTEGER, 
	state TEXT NOT NULL, 
	checkpoint TEXT, 
	config TEXT NOT NULL, 
	steps INTEGER NOT NULL, 
	code_version TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	seed INTEGER NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_models_state CHECK (state IN ('training', 'trained')), 
	CONSTRAINT fk_models_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_models_parent_id FOREIGN KEY(parent_id) REFERENCES models (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_models_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_models_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_models_name UNIQUE (name)
)
 STRICT

;
INSERT INTO "models" VALUES(1,'m-e34ab8b97e08',1,2,NULL,'trained','e9744c35346366bd3d23a85241774e21a80b8cc6d112a85cdc7b01f1f9b9bdb7','{"batch": 1, "bf16": true, "channels": [4, 8, 16], "checkpoint_every": 100, "clip_gradient": 12.0, "contrast": 0.15, "foreground": 0.6, "hu_high": 300.0, "hu_low": -200.0, "hu_mean": 60.0, "hu_std": 70.0, "learning_rate": 1e-06, "lesion_prior": 0.05, "noise": 0.1, "overlap": 0.5, "patch": [16, 16, 16], "preset": "tiny", "rotation": 15.0, "scale": 0.15, "schedule_steps": 0, "seed": 0, "spacing": [10.0, 10.0, 10.0], "stem": [1, 1, 1], "steps": 4, "weight_decay": 3e-05}',4,'0.1.0','{"device": "x86_64", "monai": "1.6.1", "python": "3.11.7", "threads": "1", "torch": "2.13.0+cpu"}',0,40);
CREATE TABLE operations (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run_id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT fk_operations_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE RESTRICT
)
 STRICT

;
INSERT INTO "operations" VALUES(1,1,'2026-11-23T13:19:28.672185+00:00');
INSERT INTO "operations" VALUES(2,2,'2026-11-23T13:19:28.684987+00:00');
INSERT INTO "operations" VALUES(3,2,'2026-11-23T13:19:28.734967+00:00');
INSERT INTO "operations" VALUES(4,2,'2026-11-23T13:19:28.753031+00:00');
INSERT INTO "operations" VALUES(5,2,'2026-11-23T13:19:28.771434+00:00');
INSERT INTO "operations" VALUES(6,2,'2026-11-23T13:19:28.774034+00:00');
INSERT INTO "operations" VALUES(7,2,'2026-11-23T13:19:28.782965+00:00');
INSERT INTO "operations" VALUES(8,3,'2026-11-23T13:19:28.797235+00:00');
INSERT INTO "operations" VALUES(9,3,'2026-11-23T13:19:28.841642+00:00');
INSERT INTO "operations" VALUES(10,3,'2026-11-23T13:19:28.850619+00:00');
INSERT INTO "operations" VALUES(11,3,'2026-11-23T13:19:28.868566+00:00');
INSERT INTO "operations" VALUES(12,4,'2026-11-23T13:19:28.889137+00:00');
INSERT INTO "operations" VALUES(13,4,'2026-11-23T13:19:28.946098+00:00');
INSERT INTO "operations" VALUES(14,4,'2026-11-23T13:19:28.977124+00:00');
INSERT INTO "operations" VALUES(15,4,'2026-11-23T13:19:29.004800+00:00');
INSERT INTO "operations" VALUES(16,4,'2026-11-23T13:19:29.013286+00:00');
INSERT INTO "operations" VALUES(17,4,'2026-11-23T13:19:29.024954+00:00');
INSERT INTO "operations" VALUES(18,5,'2026-11-23T13:19:29.035516+00:00');
INSERT INTO "operations" VALUES(19,5,'2026-11-23T13:19:29.063439+00:00');
INSERT INTO "operations" VALUES(20,5,'2026-11-23T13:19:29.069303+00:00');
INSERT INTO "operations" VALUES(21,6,'2026-11-23T13:19:29.079841+00:00');
INSERT INTO "operations" VALUES(22,6,'2026-11-23T13:19:29.124663+00:00');
INSERT INTO "operations" VALUES(23,6,'2026-11-23T13:19:29.141922+00:00');
INSERT INTO "operations" VALUES(24,7,'2026-11-23T13:19:29.168801+00:00');
INSERT INTO "operations" VALUES(25,7,'2026-11-23T13:19:29.198254+00:00');
INSERT INTO "operations" VALUES(26,8,'2026-11-23T13:19:29.204980+00:00');
INSERT INTO "operations" VALUES(27,8,'2026-11-23T13:19:29.235551+00:00');
INSERT INTO "operations" VALUES(28,9,'2026-11-23T13:19:29.253004+00:00');
INSERT INTO "operations" VALUES(29,9,'2026-11-23T13:19:29.300622+00:00');
INSERT INTO "operations" VALUES(30,9,'2026-11-23T13:19:29.324655+00:00');
INSERT INTO "operations" VALUES(31,9,'2026-11-23T13:19:29.344313+00:00');
INSERT INTO "operations" VALUES(32,9,'2026-11-23T13:19:29.369133+00:00');
INSERT INTO "operations" VALUES(33,9,'2026-11-23T13:19:29.379744+00:00');
INSERT INTO "operations" VALUES(34,9,'2026-11-23T13:19:29.418989+00:00');
INSERT INTO "operations" VALUES(35,9,'2026-11-23T13:19:29.438574+00:00');
INSERT INTO "operations" VALUES(36,9,'2026-11-23T13:19:29.473124+00:00');
INSERT INTO "operations" VALUES(37,9,'2026-11-23T13:19:29.488704+00:00');
INSERT INTO "operations" VALUES(38,9,'2026-11-23T13:19:29.498779+00:00');
INSERT INTO "operations" VALUES(39,10,'2026-11-23T13:19:29.513243+00:00');
INSERT INTO "operations" VALUES(40,11,'2026-11-23T13:19:29.614358+00:00');
INSERT INTO "operations" VALUES(41,11,'2026-11-23T13:19:32.465802+00:00');
INSERT INTO "operations" VALUES(42,11,'2026-11-23T13:19:32.468846+00:00');
INSERT INTO "operations" VALUES(43,12,'2026-11-23T13:19:32.490537+00:00');
INSERT INTO "operations" VALUES(44,12,'2026-11-23T13:19:32.719606+00:00');
INSERT INTO "operations" VALUES(45,12,'2026-11-23T13:19:32.865724+00:00');
INSERT INTO "operations" VALUES(46,12,'2026-11-23T13:19:32.988337+00:00');
INSERT INTO "operations" VALUES(47,12,'2026-11-23T13:19:33.108281+00:00');
INSERT INTO "operations" VALUES(48,12,'2026-11-23T13:19:33.276305+00:00');
INSERT INTO "operations" VALUES(49,12,'2026-11-23T13:19:33.465153+00:00');
INSERT INTO "operations" VALUES(50,12,'2026-11-23T13:19:33.622408+00:00');
INSERT INTO "operations" VALUES(51,12,'2026-11-23T13:19:33.829661+00:00');
INSERT INTO "operations" VALUES(52,12,'2026-11-23T13:19:34.018603+00:00');
INSERT INTO "operations" VALUES(53,12,'2026-11-23T13:19:34.230153+00:00');
INSERT INTO "operations" VALUES(54,12,'2026-11-23T13:19:34.345795+00:00');
INSERT INTO "operations" VALUES(55,12,'2026-11-23T13:19:34.357369+00:00');
INSERT INTO "operations" VALUES(56,13,'2026-11-23T13:19:34.452214+00:00');
INSERT INTO "operations" VALUES(57,13,'2026-11-23T13:19:34.462309+00:00');
INSERT INTO "operations" VALUES(58,13,'2026-11-23T13:19:34.505999+00:00');
INSERT INTO "operations" VALUES(59,13,'2026-11-23T13:19:34.541671+00:00');
INSERT INTO "operations" VALUES(60,13,'2026-11-23T13:19:34.570575+00:00');
INSERT INTO "operations" VALUES(61,13,'2026-11-23T13:19:34.622017+00:00');
INSERT INTO "operations" VALUES(62,13,'2026-11-23T13:19:34.661924+00:00');
INSERT INTO "operations" VALUES(63,13,'2026-11-23T13:19:34.701690+00:00');
INSERT INTO "operations" VALUES(64,13,'2026-11-23T13:19:34.713502+00:00');
INSERT INTO "operations" VALUES(65,14,'2026-11-23T13:19:34.729287+00:00');
INSERT INTO "operations" VALUES(66,15,'2026-11-23T13:19:34.750265+00:00');
INSERT INTO "operations" VALUES(67,16,'2026-11-23T13:19:34.768935+00:00');
CREATE TABLE patients (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" TEXT NOT NULL, 
	CONSTRAINT uq_patients_key UNIQUE ("key")
)
 STRICT

;
INSERT INTO "patients" VALUES(1,'c0286666565f17ac');
INSERT INTO "patients" VALUES(2,'063d30a0557d5d89');
INSERT INTO "patients" VALUES(3,'47bd88ab910732ee');
INSERT INTO "patients" VALUES(4,'f477faecd2094fee');
INSERT INTO "patients" VALUES(5,'5d7f371e4623c0c7');
INSERT INTO "patients" VALUES(6,'849d400257edbe51');
INSERT INTO "patients" VALUES(7,'83404f505445a658');
INSERT INTO "patients" VALUES(8,'205c26bd8225c0ee');
INSERT INTO "patients" VALUES(9,'00d44bd0891d02f3');
INSERT INTO "patients" VALUES(10,'af2dcee8d6cfe604');
INSERT INTO "patients" VALUES(11,'73bb944b29e160ef');
CREATE TABLE policies (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	digest TEXT NOT NULL, 
	text TEXT NOT NULL, 
	why TEXT NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT fk_policies_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT
)
 STRICT

;
INSERT INTO "policies" VALUES(1,'bbb49bf7f1ac77fbb11e2425febb49cfdb66eaab21ac61f02f8227120cf9a25c','{"require_score": false, "sources": [], "thresholds": {}}','the rules as they come',1);
CREATE TABLE round_events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	round_id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	why TEXT NOT NULL, 
	report TEXT, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_round_events_state CHECK (state IN ('open', 'trained', 'predicted', 'evaluated', 'promoted', 'rejected', 'rolled-back')), 
	CONSTRAINT fk_round_events_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_round_events_round_id FOREIGN KEY(round_id) REFERENCES rounds (id) ON DELETE RESTRICT
)
 STRICT

;
INSERT INTO "round_events" VALUES(1,1,'open','started',NULL,39);
INSERT INTO "round_events" VALUES(2,1,'trained','trained m-e34ab8b97e08',NULL,42);
INSERT INTO "round_events" VALUES(3,1,'predicted','11 cases predicted',NULL,55);
INSERT INTO "round_events" VALUES(4,1,'evaluated','judged on the references','{"passed": false, "protocol": "flare23", "reasons": ["liver: keep, DSC 0.000 where present is below the floor 0.3", "right_kidney: reject, DSC 0.004 where present is below the floor 0.3", "spleen: keep, DSC 0.000 where present is below the floor 0.3", "pancreas: keep, DSC 0.009 where present is below the floor 0.3", "aorta: reject, DSC 0.005 where present is below the floor 0.3", "inferior_vena_cava: reject, DSC 0.000 where present is below the floor 0.3", "right_adrenal_gland: reject, DSC 0.000 where present is below the floor 0.3", "left_adrenal_gland: reject, DSC 0.000 where present is below the floor 0.3", "gallbladder: reject, DSC 0.000 where present is below the floor 0.3", "esophagus: reject, DSC 0.025 where present is below the floor 0.3", "stomach: reject, DSC 0.033 where present is below the floor 0.3", "duodenum: reject, DSC 0.005 where present is below the floor 0.3", "left_kidney: reject, DSC 0.000 where present is below the floor 0.3"], "references": 2, "structures": {"aorta": {"cases": 2, "challenger": 0.0025250000000000003, "challenger_dsc_present": 0.005050000000000001, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.005 where present is below the floor 0.3"}, "duodenum": {"cases": 2, "challenger": 0.002575, "challenger_dsc_present": 0.00515, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.005 where present is below the floor 0.3"}, "esophagus": {"cases": 2, "challenger": 0.0125, "challenger_dsc_present": 0.025, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.025 where present is below the floor 0.3"}, "gallbladder": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.000 where present is below the floor 0.3"}, "inferior_vena_cava": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.000 where present is below the floor 0.3"}, "left_adrenal_gland": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.000 where present is below the floor 0.3"}, "left_kidney": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.000 where present is below the floor 0.3"}, "liver": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": 0.716075, "champion_source": "flare21", "decision": "keep", "difference": -0.716075, "interval": [-0.72445, -0.7077], "paired": 2, "reason": "DSC 0.000 where present is below the floor 0.3"}, "pancreas": {"cases": 2, "challenger": 0.004325, "challenger_dsc_present": 0.00865, "champion": 0.53845, "champion_source": "flare21", "decision": "keep", "difference": -0.534125, "interval": [-0.6188, -0.44945], "paired": 2, "reason": "DSC 0.009 where present is below the floor 0.3"}, "right_adrenal_gland": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.000 where present is below the floor 0.3"}, "right_kidney": {"cases": 2, "challenger": 0.002175, "challenger_dsc_present": 0.00435, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.004 where present is below the floor 0.3"}, "spleen": {"cases": 2, "challenger": 0.0, "challenger_dsc_present": 0.0, "champion": 0.46125000000000005, "champion_source": "flare21", "decision": "keep", "difference": -0.46125000000000005, "interval": [-0.49065000000000003, -0.43185], "paired": 2, "reason": "DSC 0.000 where present is below the floor 0.3"}, "stomach": {"cases": 2, "challenger": 0.016425, "challenger_dsc_present": 0.03285, "champion": null, "champion_source": null, "decision": "reject", "difference": null, "interval": null, "paired": 0, "reason": "DSC 0.033 where present is below the floor 0.3"}}, "used_before": 0}',64);
INSERT INTO "round_events" VALUES(5,1,'promoted','liver spleen: to have a promoted round',NULL,65);
CREATE TABLE rounds (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	task_id INTEGER NOT NULL, 
	task TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	snapshot_id INTEGER NOT NULL, 
	reference_id INTEGER NOT NULL, 
	model_id INTEGER, 
	source_id INTEGER, 
	settings TEXT NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_rounds_state CHECK (state IN ('open', 'trained', 'predicted', 'evaluated', 'promoted', 'rejected', 'rolled-back')), 
	CONSTRAINT fk_rounds_model_id FOREIGN KEY(model_id) REFERENCES models (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_rounds_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_rounds_reference_id FOREIGN KEY(reference_id) REFERENCES snapshots (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_rounds_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_rounds_source_id FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_rounds_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_rounds_task_number UNIQUE (task, number)
)
 STRICT

;
INSERT INTO "rounds" VALUES(1,1,'organ',1,'promoted',2,1,1,3,'{"config": {"batch": 1, "bf16": true, "channels": [4, 8, 16], "checkpoint_every": 100, "clip_gradient": 12.0, "contrast": 0.15, "foreground": 0.6, "hu_high": 300.0, "hu_low": -200.0, "hu_mean": 60.0, "hu_std": 70.0, "learning_rate": 1e-06, "lesion_prior": 0.05, "noise": 0.1, "overlap": 0.5, "patch": [16, 16, 16], "preset": "tiny", "rotation": 15.0, "scale": 0.15, "schedule_steps": 0, "seed": 0, "spacing": [10.0, 10.0, 10.0], "stem": [1, 1, 1], "steps": 4, "weight_decay": 3e-05}, "device": "cpu", "gate": "ask", "warm": null}',39);
CREATE TABLE runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	command TEXT NOT NULL, 
	arguments TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	host TEXT NOT NULL, 
	version TEXT NOT NULL, 
	started TEXT NOT NULL, 
	ended TEXT, 
	outcome TEXT, 
	counts TEXT
)
 STRICT

;
INSERT INTO "runs" VALUES(1,'init','{}','somebody','host','0.1.0','2026-11-23T13:19:28.670358+00:00','2026-11-23T13:19:28.677437+00:00','done',NULL);
INSERT INTO "runs" VALUES(2,'ingest images','{"path": "imagesTr2200", "split": "train"}','somebody','host','0.1.0','2026-11-23T13:19:28.682116+00:00','2026-11-23T13:19:28.790522+00:00','done',NULL);
INSERT INTO "runs" VALUES(3,'ingest images','{"path": "unlabeledTr1800", "split": "train"}','somebody','host','0.1.0','2026-11-23T13:19:28.791383+00:00','2026-11-23T13:19:28.873552+00:00','done',NULL);
INSERT INTO "runs" VALUES(4,'ingest labels','{"accepted": true, "grid_from_label": false, "kind": "ground-truth", "mapping": "identity", "model": null, "path": "labelsTr2200", "source": "flare23", "supersedes": null, "workers": 2}','somebody','host','0.1.0','2026-11-23T13:19:28.876198+00:00','2026-11-23T13:19:29.033711+00:00','done',NULL);
INSERT INTO "runs" VALUES(5,'ingest images','{"path": "validation", "split": "validation"}','somebody','host','0.1.0','2026-11-23T13:19:29.034729+00:00','2026-11-23T13:19:29.077657+00:00','done',NULL);
INSERT INTO "runs" VALUES(6,'ingest labels','{"accepted": true, "grid_from_label": false, "kind": "ground-truth", "mapping": "identity", "model": null, "path": "val-gt", "source": "flare23", "supersedes": null, "workers": 2}','somebody','host','0.1.0','2026-11-23T13:19:29.078893+00:00','2026-11-23T13:19:29.156641+00:00','done',NULL);
INSERT INTO "runs" VALUES(7,'ingest images','{"path": "test", "split": "test"}','somebody','host','0.1.0','2026-11-23T13:19:29.167583+00:00','2026-11-23T13:19:29.201261+00:00','done',NULL);
INSERT INTO "runs" VALUES(8,'ingest labels','{"accepted": true, "grid_from_label": false, "kind": "ground-truth", "mapping": "identity", "model": null, "path": "test-gt", "source": "flare23", "supersedes": null, "workers": 2}','somebody','host','0.1.0','2026-11-23T13:19:29.202042+00:00','2026-11-23T13:19:29.245545+00:00','done',NULL);
INSERT INTO "runs" VALUES(9,'ingest labels','{"accepted": true, "grid_from_label": false, "kind": "external", "mapping": "flare21", "model": null, "path": "flare21-pseudo-labels", "source": "flare21", "supersedes": null, "workers": 2}','somebody','host','0.1.0','2026-11-23T13:19:29.248114+00:00','2026-11-23T13:19:29.507980+00:00','done',NULL);
INSERT INTO "runs" VALUES(10,'round start','{"settings": {"batch": 1, "bf16": true, "channels": [4, 8, 16], "checkpoint_every": 100, "clip_gradient": 12.0, "contrast": 0.15, "foreground": 0.6, "hu_high": 300.0, "hu_low": -200.0, "hu_mean": 60.0, "hu_std": 70.0, "learning_rate": 1e-06, "lesion_prior": 0.05, "noise": 0.1, "overlap": 0.5, "patch": [16, 16, 16], "preset": "tiny", "rotation": 15.0, "scale": 0.15, "schedule_steps": 0, "seed": 0, "spacing": [10.0, 10.0, 10.0], "stem": [1, 1, 1], "steps": 4, "weight_decay": 3e-05}, "task": "organ", "warm": null}','somebody','host','0.1.0','2026-11-23T13:19:29.509076+00:00','2026-11-23T13:19:29.601599+00:00','done',NULL);
INSERT INTO "runs" VALUES(11,'round advance','{"round": "organ/1", "state": "open"}','somebody','host','0.1.0','2026-11-23T13:19:29.613239+00:00','2026-11-23T13:19:32.473205+00:00','done',NULL);
INSERT INTO "runs" VALUES(12,'round advance','{"round": "organ/1", "state": "trained"}','somebody','host','0.1.0','2026-11-23T13:19:32.481601+00:00','2026-11-23T13:19:34.365529+00:00','done',NULL);
INSERT INTO "runs" VALUES(13,'round advance','{"round": "organ/1", "state": "predicted"}','somebody','host','0.1.0','2026-11-23T13:19:34.376669+00:00','2026-11-23T13:19:34.717469+00:00','done',NULL);
INSERT INTO "runs" VALUES(14,'round promote','{"round": "organ/1", "structures": ["liver", "spleen"], "why": "to have a promoted round"}','somebody','host','0.1.0','2026-11-23T13:19:34.723745+00:00','2026-11-23T13:19:34.739356+00:00','done',NULL);
INSERT INTO "runs" VALUES(15,'source withdrawn','{"source": "flare21", "structures": ["spleen"], "why": "to have a withdrawal"}','somebody','host','0.1.0','2026-11-23T13:19:34.744850+00:00','2026-11-23T13:19:34.757369+00:00','done',NULL);
INSERT INTO "runs" VALUES(16,'label revoked','{"label": "FLARE23Ts_0001@flare23@1", "structures": null, "why": "to have a revocation"}','somebody','host','0.1.0','2026-11-23T13:19:34.765469+00:00','2026-11-23T13:19:34.777264+00:00','done',NULL);
CREATE TABLE scores (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	label_id INTEGER NOT NULL, 
	structure INTEGER NOT NULL, 
	reference_id INTEGER NOT NULL, 
	protocol TEXT NOT NULL, 
	metric TEXT NOT NULL, 
	value REAL NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT fk_scores_label_id FOREIGN KEY(label_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_scores_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_scores_reference_id FOREIGN KEY(reference_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_scores_structure FOREIGN KEY(structure) REFERENCES structures (value) ON DELETE RESTRICT, 
	CONSTRAINT uq_scores_label_id_structure_reference_id_protocol_metric UNIQUE (label_id, structure, reference_id, protocol, metric)
)
 STRICT

;
INSERT INTO "scores" VALUES(1,19,1,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(2,19,1,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(3,19,1,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(4,19,2,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(5,19,2,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(6,19,2,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(7,19,3,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(8,19,3,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(9,19,3,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(10,19,4,6,'flare23','dsc',0.0078,56);
INSERT INTO "scores" VALUES(11,19,4,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(12,19,4,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(13,19,5,6,'flare23','dsc',0.0074,56);
INSERT INTO "scores" VALUES(14,19,5,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(15,19,5,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(16,19,6,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(17,19,6,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(18,19,6,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(19,19,7,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(20,19,7,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(21,19,7,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(22,19,8,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(23,19,8,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(24,19,8,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(25,19,9,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(26,19,9,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(27,19,9,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(28,19,10,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(29,19,10,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(30,19,10,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(31,19,11,6,'flare23','dsc',0.0282,56);
INSERT INTO "scores" VALUES(32,19,11,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(33,19,11,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(34,19,12,6,'flare23','dsc',0.0074,56);
INSERT INTO "scores" VALUES(35,19,12,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(36,19,12,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(37,19,13,6,'flare23','dsc',0.0,56);
INSERT INTO "scores" VALUES(38,19,13,6,'flare23','nsd',0.0,56);
INSERT INTO "scores" VALUES(39,19,13,6,'flare23','present',1.0,56);
INSERT INTO "scores" VALUES(40,20,1,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(41,20,1,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(42,20,1,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(43,20,2,7,'flare23','dsc',0.0087,57);
INSERT INTO "scores" VALUES(44,20,2,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(45,20,2,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(46,20,3,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(47,20,3,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(48,20,3,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(49,20,4,7,'flare23','dsc',0.0095,57);
INSERT INTO "scores" VALUES(50,20,4,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(51,20,4,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(52,20,5,7,'flare23','dsc',0.0027,57);
INSERT INTO "scores" VALUES(53,20,5,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(54,20,5,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(55,20,6,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(56,20,6,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(57,20,6,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(58,20,7,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(59,20,7,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(60,20,7,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(61,20,8,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(62,20,8,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(63,20,8,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(64,20,9,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(65,20,9,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(66,20,9,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(67,20,10,7,'flare23','dsc',0.05,57);
INSERT INTO "scores" VALUES(68,20,10,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(69,20,10,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(70,20,11,7,'flare23','dsc',0.0375,57);
INSERT INTO "scores" VALUES(71,20,11,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(72,20,11,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(73,20,12,7,'flare23','dsc',0.0029,57);
INSERT INTO "scores" VALUES(74,20,12,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(75,20,12,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(76,20,13,7,'flare23','dsc',0.0,57);
INSERT INTO "scores" VALUES(77,20,13,7,'flare23','nsd',0.0,57);
INSERT INTO "scores" VALUES(78,20,13,7,'flare23','present',1.0,57);
INSERT INTO "scores" VALUES(79,9,1,6,'flare23','dsc',0.8244,58);
INSERT INTO "scores" VALUES(80,9,1,6,'flare23','nsd',0.6245,58);
INSERT INTO "scores" VALUES(81,9,1,6,'flare23','present',1.0,58);
INSERT INTO "scores" VALUES(82,9,3,6,'flare23','dsc',0.5299,59);
INSERT INTO "scores" VALUES(83,9,3,6,'flare23','nsd',0.4514,59);
INSERT INTO "scores" VALUES(84,9,3,6,'flare23','present',1.0,59);
INSERT INTO "scores" VALUES(85,9,4,6,'flare23','dsc',0.5146,60);
INSERT INTO "scores" VALUES(86,9,4,6,'flare23','nsd',0.7308,60);
INSERT INTO "scores" VALUES(87,9,4,6,'flare23','present',1.0,60);
INSERT INTO "scores" VALUES(88,10,1,7,'flare23','dsc',0.8066,61);
INSERT INTO "scores" VALUES(89,10,1,7,'flare23','nsd',0.6088,61);
INSERT INTO "scores" VALUES(90,10,1,7,'flare23','present',1.0,61);
INSERT INTO "scores" VALUES(91,10,3,7,'flare23','dsc',0.4066,62);
INSERT INTO "scores" VALUES(92,10,3,7,'flare23','nsd',0.4571,62);
INSERT INTO "scores" VALUES(93,10,3,7,'flare23','present',1.0,62);
INSERT INTO "scores" VALUES(94,10,4,7,'flare23','dsc',0.4487,63);
INSERT INTO "scores" VALUES(95,10,4,7,'flare23','nsd',0.4597,63);
INSERT INTO "scores" VALUES(96,10,4,7,'flare23','present',1.0,63);
CREATE TABLE snapshot_items (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	snapshot_id INTEGER NOT NULL, 
	case_id INTEGER NOT NULL, 
	label_id INTEGER NOT NULL, 
	role TEXT NOT NULL, 
	structures TEXT NOT NULL, 
	CONSTRAINT ck_snapshot_items_role CHECK (role IN ('won', 'contributes')), 
	CONSTRAINT fk_snapshot_items_case_id FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_snapshot_items_label_id FOREIGN KEY(label_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_snapshot_items_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_snapshot_items_snapshot_id_case_id_label_id_role UNIQUE (snapshot_id, case_id, label_id, role)
)
 STRICT

;
INSERT INTO "snapshot_items" VALUES(1,1,9,6,'won','["liver", "right_kidney", "spleen", "pancreas", "aorta", "inferior_vena_cava", "right_adrenal_gland", "left_adrenal_gland", "gallbladder", "esophagus", "stomach", "duodenum", "left_kidney", "tumor"]');
INSERT INTO "snapshot_items" VALUES(2,1,10,7,'won','["liver", "right_kidney", "spleen", "pancreas", "aorta", "inferior_vena_cava", "right_adrenal_gland", "left_adrenal_gland", "gallbladder", "esophagus", "stomach", "duodenum", "left_kidney", "tumor"]');
INSERT INTO "snapshot_items" VALUES(3,2,1,1,'won','["liver", "right_kidney", "spleen", "pancreas", "aorta", "inferior_vena_cava", "right_adrenal_gland", "left_adrenal_gland", "gallbladder", "esophagus", "stomach", "duodenum", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(4,2,2,2,'won','["tumor"]');
INSERT INTO "snapshot_items" VALUES(5,2,2,12,'contributes','["right_kidney", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(6,2,2,12,'won','["liver", "spleen", "pancreas"]');
INSERT INTO "snapshot_items" VALUES(7,2,6,13,'contributes','["right_kidney", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(8,2,6,13,'won','["liver", "spleen", "pancreas"]');
INSERT INTO "snapshot_items" VALUES(9,2,3,3,'won','["liver", "right_kidney", "spleen", "pancreas", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(10,2,7,15,'contributes','["right_kidney", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(11,2,7,15,'won','["liver", "spleen", "pancreas"]');
INSERT INTO "snapshot_items" VALUES(12,2,8,16,'contributes','["right_kidney", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(13,2,8,16,'won','["liver", "spleen", "pancreas"]');
INSERT INTO "snapshot_items" VALUES(14,2,4,4,'won','["liver", "right_kidney", "spleen", "pancreas", "left_kidney", "tumor"]');
INSERT INTO "snapshot_items" VALUES(15,2,5,5,'won','["tumor"]');
INSERT INTO "snapshot_items" VALUES(16,2,5,18,'contributes','["right_kidney", "left_kidney"]');
INSERT INTO "snapshot_items" VALUES(17,2,5,18,'won','["liver", "spleen", "pancreas"]');
CREATE TABLE snapshots (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	title TEXT, 
	task_id INTEGER NOT NULL, 
	policy_id INTEGER NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_snapshots_purpose CHECK (purpose IN ('train', 'reference')), 
	CONSTRAINT fk_snapshots_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_snapshots_policy_id FOREIGN KEY(policy_id) REFERENCES policies (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_snapshots_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_snapshots_digest UNIQUE (digest), 
	CONSTRAINT uq_snapshots_name UNIQUE (name)
)
 STRICT

;
INSERT INTO "snapshots" VALUES(1,'s-79d942df72ec','79d942df72ec457fcfaf86363a80a5f3a27ba6db662ff8d35ccfcebea92036a1','reference',NULL,1,1,39);
INSERT INTO "snapshots" VALUES(2,'s-8f37547f04d6','8f37547f04d6143a1876390692f2c8bf67ed3a22be621b76468662c988e63399','train',NULL,1,1,39);
CREATE TABLE sources (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	default_kind TEXT NOT NULL, 
	recipe TEXT, 
	supersedes_id INTEGER, 
	licence TEXT, 
	citation TEXT, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_sources_default_kind CHECK (default_kind IN ('ground-truth', 'tumor-only', 'external', 'pseudo', 'fused')), 
	CONSTRAINT fk_sources_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_sources_supersedes_id FOREIGN KEY(supersedes_id) REFERENCES sources (id) ON DELETE RESTRICT, 
	CONSTRAINT uq_sources_name UNIQUE (name)
)
 STRICT

;
INSERT INTO "sources" VALUES(1,'flare23','ground-truth',NULL,NULL,NULL,NULL,12);
INSERT INTO "sources" VALUES(2,'flare21','external',NULL,NULL,NULL,NULL,28);
INSERT INTO "sources" VALUES(3,'organ/1','pseudo',NULL,NULL,NULL,NULL,43);
CREATE TABLE structures (
	value INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	nsd_tolerance_mm REAL NOT NULL, 
	tubular INTEGER NOT NULL, 
	CONSTRAINT ck_structures_kind CHECK (kind IN ('organ', 'lesion')), 
	CONSTRAINT uq_structures_name UNIQUE (name)
)
 STRICT

;
INSERT INTO "structures" VALUES(1,'liver','organ',5.0,0);
INSERT INTO "structures" VALUES(2,'right_kidney','organ',3.0,0);
INSERT INTO "structures" VALUES(3,'spleen','organ',3.0,0);
INSERT INTO "structures" VALUES(4,'pancreas','organ',5.0,0);
INSERT INTO "structures" VALUES(5,'aorta','organ',2.0,1);
INSERT INTO "structures" VALUES(6,'inferior_vena_cava','organ',2.0,1);
INSERT INTO "structures" VALUES(7,'right_adrenal_gland','organ',2.0,0);
INSERT INTO "structures" VALUES(8,'left_adrenal_gland','organ',2.0,0);
INSERT INTO "structures" VALUES(9,'gallbladder','organ',2.0,0);
INSERT INTO "structures" VALUES(10,'esophagus','organ',3.0,1);
INSERT INTO "structures" VALUES(11,'stomach','organ',5.0,0);
INSERT INTO "structures" VALUES(12,'duodenum','organ',7.0,0);
INSERT INTO "structures" VALUES(13,'left_kidney','organ',3.0,0);
INSERT INTO "structures" VALUES(14,'tumor','lesion',2.0,0);
CREATE TABLE tasks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	structures TEXT NOT NULL, 
	CONSTRAINT uq_tasks_digest UNIQUE (digest)
)
 STRICT

;
INSERT INTO "tasks" VALUES(1,'organ','ee101cdf125d145b87e5973e2faea9e2f57594c31258116ea1a9952ff0c249f9','["liver", "right_kidney", "spleen", "pancreas", "aorta", "inferior_vena_cava", "right_adrenal_gland", "left_adrenal_gland", "gallbladder", "esophagus", "stomach", "duodenum", "left_kidney"]');
CREATE TABLE withdrawals (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	source_id INTEGER, 
	label_id INTEGER, 
	structure INTEGER NOT NULL, 
	event TEXT NOT NULL, 
	why TEXT NOT NULL, 
	operation_id INTEGER NOT NULL, 
	CONSTRAINT ck_withdrawals_event CHECK (event IN ('withdrawn', 'restored')), 
	CONSTRAINT ck_withdrawals_either CHECK ((source_id IS NULL) <> (label_id IS NULL)), 
	CONSTRAINT fk_withdrawals_label_id FOREIGN KEY(label_id) REFERENCES labels (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_withdrawals_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_withdrawals_source_id FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_withdrawals_structure FOREIGN KEY(structure) REFERENCES structures (value) ON DELETE RESTRICT
)
 STRICT

;
INSERT INTO "withdrawals" VALUES(1,2,NULL,3,'withdrawn','to have a withdrawal',66);
CREATE INDEX ix_operations_run_id ON operations (run_id);
CREATE INDEX ix_cases_image ON cases (image);
CREATE INDEX ix_cases_patient_id ON cases (patient_id);
CREATE INDEX ix_cases_voxels_digest ON cases (voxels_digest);
CREATE INDEX ix_labels_model_id ON labels (model_id);
CREATE INDEX ix_labels_source_id ON labels (source_id);
CREATE INDEX ix_labels_volume ON labels (volume);
CREATE UNIQUE INDEX uq_rounds_open ON rounds (task) WHERE (state NOT IN ('promoted', 'rejected', 'rolled-back'));
CREATE INDEX ix_acceptances_label_id ON acceptances (label_id);
CREATE INDEX ix_acceptances_source_id ON acceptances (source_id);
CREATE INDEX ix_label_parents_parent_id ON label_parents (parent_id);
CREATE INDEX ix_round_events_round_id ON round_events (round_id);
CREATE INDEX ix_scores_label_id ON scores (label_id);
CREATE INDEX ix_snapshot_items_case_id ON snapshot_items (case_id);
CREATE INDEX ix_snapshot_items_label_id ON snapshot_items (label_id);
CREATE INDEX ix_withdrawals_label_id ON withdrawals (label_id);
CREATE INDEX ix_withdrawals_source_id ON withdrawals (source_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',16);
INSERT INTO "sqlite_sequence" VALUES('operations',67);
INSERT INTO "sqlite_sequence" VALUES('structures',14);
INSERT INTO "sqlite_sequence" VALUES('policies',1);
INSERT INTO "sqlite_sequence" VALUES('patients',11);
INSERT INTO "sqlite_sequence" VALUES('cases',11);
INSERT INTO "sqlite_sequence" VALUES('sources',3);
INSERT INTO "sqlite_sequence" VALUES('mappings',2);
INSERT INTO "sqlite_sequence" VALUES('labels',29);
INSERT INTO "sqlite_sequence" VALUES('label_structures',261);
INSERT INTO "sqlite_sequence" VALUES('acceptances',35);
INSERT INTO "sqlite_sequence" VALUES('tasks',1);
INSERT INTO "sqlite_sequence" VALUES('snapshots',2);
INSERT INTO "sqlite_sequence" VALUES('snapshot_items',17);
INSERT INTO "sqlite_sequence" VALUES('rounds',1);
INSERT INTO "sqlite_sequence" VALUES('round_events',5);
INSERT INTO "sqlite_sequence" VALUES('models',1);
INSERT INTO "sqlite_sequence" VALUES('scores',96);
INSERT INTO "sqlite_sequence" VALUES('withdrawals',1);
COMMIT;
