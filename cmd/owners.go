package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"flowlog/enrich"
	"flowlog/enrich/inventory"
	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// readOwners reads the inventory that --inventory names: files, folders and s3:// URLs. It is nil if the flag is not set.
func (e *enrichment) readOwners(ctx context.Context, con *console, opt s3.Options) (*enrich.Inventory, error) {
	if len(e.inventory) == 0 {
		return nil, nil
	}
	opt.Filter = parse.KeyFilter{} // the time, accounts and regions that are asked for are of the logs
	list, err := sources(ctx, con, opt, e.inventory)
	if err != nil {
		return nil, err
	}
	var files []inventory.File
	for _, source := range list {
		for o, err := range source.Objects(ctx) {
			if err != nil {
				return nil, fmt.Errorf("--inventory: %w", named(err))
			}
			files = append(files, inventory.File{Name: o.Name, Modified: modified(o.Name), Open: func() (io.ReadCloser, error) {
				in, err := o.Open(ctx)
				if err != nil {
					return nil, fmt.Errorf("--inventory: %w", named(err))
				}
				return in, nil
			}})
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("--inventory: there is no file in %s", strings.Join(e.inventory, ", "))
	}
	inv, err := inventory.Read(files)
	if err != nil {
		return nil, err
	}
	return enrich.NewInventory(inv), nil
}

// modified is when a file was written, zero if it is none.
func modified(name string) time.Time {
	if info, err := os.Stat(name); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}

// errEngineOwners is the error for fields of an inventory in a report that an engine runs.
var errEngineOwners = errors.New("an engine cannot compute the fields of --inventory, which depend on the time of each record: leave --engine out, or have it group by addresses and time, as in --by srcaddr,dstaddr --every 1h")

// refuseOwners is the error for fields among the names that an inventory computes.
func (l *lookups) refuseOwners(names []string) error {
	for _, name := range names {
		if enrich.NeedsDB(name) == enrich.Owners {
			return usageError{fmt.Errorf("%s: %w", schema.CanonicalName(name), errEngineOwners)}
		}
	}
	return nil
}
