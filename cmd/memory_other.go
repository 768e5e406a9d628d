//go:build !linux

package cmd

// processLimits are the limits on memory of this process, where they can be read.
func processLimits() []ceiling { return nil }
