module flowlog/testdata/oracle

go 1.26.0
