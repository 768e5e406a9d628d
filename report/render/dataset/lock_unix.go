//go:build unix && !solaris && !aix

package dataset

import (
	"errors"
	"os"
	"syscall"
)

// lock locks the file until it is closed, also by the end of the process.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New(errOtherRun)
	}
	return nil // a file system without locks: that commits are new has to do
}
