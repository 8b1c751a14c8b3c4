package app

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// lockFolder makes the data folder where it is missing and keeps other servers
// out of it: a SQLite file and a metrics store have one server. The lock goes
// with the process, however that ends. The folder is the server's alone: whoever
// reads its files has every secret of its documents.
func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Invalid, "app.data_folder", text.Say("the data folder %s cannot be made", "データフォルダー %s を作れません", dir)).
			Fix(text.Say("choose another with --data", "--data で別のフォルダーを指定してください")).Wrap(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fault.New(fault.Conflict, "app.data_folder_used", text.Say("another server uses the data folder %s", "データフォルダー %s は別のサーバーが使用中です", dir)).
			Fix(text.Say("stop it, or choose another folder with --data", "そのサーバーを止めるか、--data で別のフォルダーを指定してください"))
	}
	return f, nil
}
