package cmd

import (
	"errors"
	"fmt"
	"time"
)

// timeBounds reads the values of --since and --until, which are zero if they are empty.
func timeBounds(since, until string, now time.Time, zone *time.Location) (from, to time.Time, err error) {
	for _, bound := range []struct {
		flag, value string
		to          *time.Time
	}{{"since", since, &from}, {"until", until, &to}} {
		if bound.value == "" {
			continue
		}
		if *bound.to, err = parseTime(bound.value, now, zone); err != nil {
			return from, to, fmt.Errorf("--%s: %w", bound.flag, err)
		}
	}
	if !to.IsZero() && from.Unix() >= to.Unix() {
		return from, to, errors.New("--since is not before --until: no record can match")
	}
	return from, to, nil
}
