package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
)

// historyStep is the distance between the samples of the past. The ledger
// counts by the minute, so that nothing finer would be seen.
const historyStep = time.Minute

// appendRows is how many rows one transaction of the store takes.
const appendRows = 60

// fillIn writes the samples that the store lacks, before anything is scraped:
// all 35 days into an empty one, and into one of an earlier demo the time since
// it was stopped, unless that is to stay unknown.
func (d *demo) fillIn(ctx context.Context, leaveGap bool) error {
	now, began := time.Now(), time.Now()
	_, newest, some := d.app.Store.Span()
	what := text.Say("history", "履歴")
	switch {
	case !some:
		samples, err := d.importHistory(ctx, now)
		if err != nil {
			return fmt.Errorf("write the history: %w", err)
		}
		d.done(what, text.Say("35 days, %.1f million samples in %s", "35日分、%.1f 百万サンプルを %s で書き込み", float64(samples)/1e6, seconds(time.Since(began))))
	case leaveGap:
		d.done(what, text.Say("unknown since %s", "%s 以降は不明のまま", newest.Local().Format(time.DateTime)))
	default:
		minutes, err := d.appendHistory(ctx, newest, now)
		if err != nil {
			return fmt.Errorf("write the history: %w", err)
		}
		d.done(what, text.Say("%d minutes since the last demo filled in, in %s", "前回のデモ以降の %d 分を %s で補完", minutes, seconds(time.Since(began))))
	}
	return nil
}

// importHistory writes the whole past as finished blocks.
func (d *demo) importHistory(ctx context.Context, now time.Time) (samples int, err error) {
	all := int(now.Sub(d.shop.Origin())/historyStep) * len(d.shop.Series())
	bar := progress{to: d.out, what: text.Say("writing history", "履歴を書き込み中").In(d.lang), live: isTerminal(d.out)}
	err = d.app.Store.Import(ctx, d.shop.Series(), func(yield func(embedded.Sample) bool) {
		for ms, row := range d.shop.History(d.shop.Origin(), now, historyStep) {
			for i, v := range row {
				samples++
				if !yield(embedded.Sample{Series: i, T: ms, V: v}) {
					return
				}
			}
		}
	}, func(done int) { bar.show(done, all) })
	bar.clear()
	return samples, err
}

// appendHistory writes what happened after the newest sample as if it had been
// scraped then.
func (d *demo) appendHistory(ctx context.Context, newest, now time.Time) (minutes int, err error) {
	series := d.shop.Series()
	rows := make([]metrics.Series, len(series))
	for i, labels := range series {
		rows[i].Labels = labels
	}
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := d.app.Store.Append(ctx, rows)
		for i := range rows {
			rows[i].Points = rows[i].Points[:0]
		}
		return err
	}
	from := newest.Add(time.Millisecond)
	bar := progress{to: d.out, what: text.Say("writing history", "履歴を書き込み中").In(d.lang), live: isTerminal(d.out)}
	for ms, row := range d.shop.History(from, now, historyStep) {
		for i, v := range row {
			rows[i].Points = append(rows[i].Points, metrics.Point{T: ms, V: v})
		}
		if minutes++; minutes%appendRows == 0 {
			bar.show(minutes, int(now.Sub(newest)/historyStep))
			if err := flush(); err != nil {
				return minutes, err
			}
		}
	}
	bar.clear()
	if len(rows) > 0 && len(rows[0].Points) > 0 {
		return minutes, flush()
	}
	return minutes, nil
}

// progress is a line that is written over and over, where there is a terminal.
type progress struct {
	to   io.Writer
	what string
	live bool
	last int
}

func (p *progress) show(done, all int) {
	percent := min(100, done*100/max(all, 1))
	if !p.live || percent == p.last {
		return
	}
	p.last = percent
	bar := slices.Repeat([]rune("·"), 30)
	for i := range percent * 30 / 100 {
		bar[i] = '█'
	}
	fmt.Fprintf(p.to, "\r  … %s  %s %3d%%", padded(p.what, 14), string(bar), percent)
}

func (p *progress) clear() {
	if p.live && p.last > 0 {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}

// isTerminal tells whether a person watches what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
