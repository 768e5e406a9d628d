package schema

// Metadata keys of Parquet and Arrow files that flowlog writes, and their values.
const (
	RecordsKey    = "flowlog.records"
	MadeOfKey     = "flowlog.made_of" // fingerprints of the inputs, separated by blanks
	FlowRecords   = "flows"
	ReportRecords = "report"
	Connections   = "connections"
)

// The layout of a partitioned dataset, for its writer and its readers.
const (
	// ManifestFolder holds the manifest. Hive, Spark, Trino, Athena and pyarrow hide names that begin with _; for
	// other readers the folder has only Parquet files without rows.
	ManifestFolder = "_flowlog"
	// NullPartition is Hive's partition value for null.
	NullPartition = "__HIVE_DEFAULT_PARTITION__"
	// PartGlob matches data files: the number of the commit, then of the file in its partition.
	PartGlob = "part-[0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9].parquet"
)
