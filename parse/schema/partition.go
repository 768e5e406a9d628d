package schema

// What a file of Parquet or Arrow holds that flowlog has written stands in its metadata.
const (
	RecordsKey    = "flowlog.records"
	MadeOfKey     = "flowlog.made_of" // fingerprints of the inputs, with blanks between
	FlowRecords   = "flows"
	ReportRecords = "report"
)

// How a partitioned dataset is laid out, for those who write one and those who read it.
const (
	// ManifestFolder holds what says which inputs are in a dataset. Names that begin with _ are hidden from Hive,
	// Spark, Trino, Athena and pyarrow; what other readers find in it are Parquet files without rows.
	ManifestFolder = "_flowlog"
	// NullPartition is the value of a partition whose records have none, as Hive writes it.
	NullPartition = "__HIVE_DEFAULT_PARTITION__"
	// PartGlob matches the names of the files: the number of the commit, then of the file in its partition.
	PartGlob = "part-[0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9].parquet"
)
