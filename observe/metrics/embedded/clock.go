package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/tsdb"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// aheadOfTime is how far samples may lie in the future; a target may be ten
// minutes ahead before its samples are refused.
const aheadOfTime = 15 * time.Minute

// clockFault says that samples are stored which lie in the future: the clock was
// ahead when they were scraped. Since a series only grows at its end, what is
// scraped now is refused until that time has come.
func (s *Store) clockFault(now time.Time) *fault.Error {
	head := s.db.Head()
	if head.NumSeries() == 0 || head.MaxTime() <= now.Add(aheadOfTime).UnixMilli() {
		return nil
	}
	until := time.UnixMilli(head.MaxTime()).UTC().Format(time.RFC3339)
	return fault.New(fault.Unavailable, metrics.CodeClock, text.Say(
		"the clock was ahead: metrics are stored up to %s, and new ones are refused until then",
		"時計が進んでいた間のメトリクスが %s まで保存されているため、それまで新しいメトリクスを保存できません", until)).
		Fix(text.Say("check that the clock is right now, then restart the server: it forgets what lies in the future",
			"現在の時刻が正しいことを確認してからサーバーを再起動してください。未来の時刻のサンプルは破棄されます"))
}

// forgetFuture drops samples from the future when the store is opened, so that
// the present can be stored again. What lies before now becomes a block; then
// the log, which holds the rest, is begun anew.
func (s *Store) forgetFuture(now time.Time) error {
	fail := func(err error) error {
		return errors.Join(fmt.Errorf("forget samples from the future: %w", err), s.db.Close())
	}
	if s.clockFault(now) == nil {
		return nil
	}
	head := s.db.Head()
	s.log.Warn("samples from the future are dropped", "latest", time.UnixMilli(head.MaxTime()).UTC(), "now", now.UTC())
	if head.MinTime() <= now.UnixMilli() {
		if err := s.db.CompactHead(tsdb.NewRangeHead(head, head.MinTime(), now.UnixMilli())); err != nil {
			return fail(err)
		}
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("forget samples from the future: %w", err)
	}
	for _, folder := range []string{"wal", "wbl", "chunks_head"} {
		if err := os.RemoveAll(filepath.Join(s.o.Dir, folder)); err != nil {
			return fmt.Errorf("forget samples from the future: %w", err)
		}
	}
	return s.openDB()
}
