//go:build unix && !solaris && !aix

package dataset

import (
	"errors"
	"os"
	"syscall"
)

// lock locks the file until it is closed or the process ends.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New(errOtherRun)
	}
	return nil // a file system without locks: see lock_other.go
}
