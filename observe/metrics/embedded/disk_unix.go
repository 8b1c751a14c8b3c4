//go:build unix

package embedded

import "syscall"

// freeBytes is the room that an ordinary user has left on the disk of dir.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:unconvert // signed on some systems
}
