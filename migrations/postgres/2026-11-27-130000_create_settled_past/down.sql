DROP TABLE settled_past;
