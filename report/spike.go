package report

// A Spike is a condition on the rows of a report over time: that a measure is more than so many times its median
// in the other bins. Rows that differ in their keys other than time are compared apart. Where bins differ in length, as
// days do when a clock is set, counts and sums are compared as rates. A bin in which there was nothing counts as 0, for a
// measure that is 0 of nothing; else it is left out. What the median is of 0 is more than any multiple of it, so that a
// Having should say what is too little to matter.
type Spike struct {
	Measure string
	Times   float64
}

// MedianColumn is the name of the column that says what is usual.
const MedianColumn = "median"
