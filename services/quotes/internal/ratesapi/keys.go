package ratesapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.com/portpair/services/quotes/internal/quote"
	"github.com/redis/go-redis/v9"
)

// The keys, as rates has them:
//
//	rates:latest      hash of the newest day
//	rates:2026-08-21  hash of a day: date, base, and what one euro is by code
//	rates:days        sorted set of the days, scored by their digits: 20260821
const (
	keyPrefix = "rates:"
	latestKey = "rates:latest"
	daysKey   = "rates:days"
)

const (
	maxFields = 500  // of a hash; a day has about 30
	atOnce    = 1000 // days of a range that are asked for in one pipeline: neither side is stuck with so much to send
)

// errEmpty is of a Redis that holds no rates at all.
func errEmpty() error {
	return failf(NoService, "what answers is no rates service: it holds no %s", latestKey)
}

// askLatest asks for the newest day.
func (o *overRedis) askLatest(ctx context.Context) ([]hash, error) {
	pipe := o.redis.Pipeline()
	latest := queue(ctx, pipe, "hgetall", latestKey)
	if err := o.send(ctx, pipe); err != nil {
		return nil, err
	}
	fields, err := latest.Result()
	if err == nil && len(fields) == 0 {
		err = errEmpty()
	}
	return []hash{fields}, err
}

// askDay asks for a day and those before it that may stand for it, in one
// exchange. The first that is there is the answer.
func (o *overRedis) askDay(ctx context.Context, date quote.Date) ([]hash, error) {
	pipe := o.redis.Pipeline()
	days := make([]*redis.StringSliceCmd, lookBack+1)
	for back := range days {
		days[back] = queue(ctx, pipe, "hgetall", keyPrefix+date.AddDays(-back).String())
	}
	some := pipe.Exists(ctx, latestKey)
	if err := o.send(ctx, pipe); err != nil {
		return nil, err
	}
	for _, day := range days {
		if fields, err := day.Result(); err != nil || len(fields) > 0 {
			return []hash{fields}, err
		}
	}
	return nil, orEmpty(some)
}

// orEmpty tells no rates for what was asked from none at all.
func orEmpty(some *redis.IntCmd) error {
	if n, err := some.Result(); err != nil || n > 0 {
		return err
	}
	return errEmpty()
}

// askDays asks which days of a range there are, and then for the pair's rates
// on them, some days at once.
func (o *overRedis) askDays(ctx context.Context, q question) (days []hash, err error) {
	dates, err := o.askDates(ctx, q.days)
	if err != nil {
		return nil, err
	}
	names := append([]string{"date", "base"}, codesOf(q.pair[0], q.pair[1])...)
	for some := range slices.Chunk(dates, atOnce) {
		pipe := o.redis.Pipeline()
		asked := make([]*redis.StringSliceCmd, len(some))
		for i, date := range some {
			asked[i] = queue(ctx, pipe, "hmget", append([]string{keyPrefix + date}, names...)...)
		}
		if err := o.send(ctx, pipe); err != nil {
			return nil, err
		}
		for i, date := range some {
			values, err := asked[i].Result()
			if err == nil && (len(values) != len(names) || values[0] != date) {
				err = failf(NoService, "what answers is no rates service: %s lists %s, and %s%s is not that day's", daysKey, date, keyPrefix, date)
			}
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(values[2:], func(rate string) bool { return rate != "" }) {
				days = append(days, hashOf(names, values))
			}
		}
	}
	return days, nil
}

// askDates asks for the days of a range that there are rates for.
func (o *overRedis) askDates(ctx context.Context, r span) ([]string, error) {
	score := func(d quote.Date) string { return strings.ReplaceAll(d.String(), "-", "") }
	most := max(r.to.DaysSince(r.from)+1, 0)
	pipe := o.redis.Pipeline()
	listed := queue(ctx, pipe, "zrangebyscore", daysKey, score(r.from), score(r.to), "LIMIT", "0", strconv.Itoa(most+1))
	some := pipe.Exists(ctx, latestKey)
	if err := o.send(ctx, pipe); err != nil {
		return nil, err
	}
	dates, err := listed.Result()
	if err == nil && len(dates) == 0 {
		err = orEmpty(some)
	}
	before := r.from.AddDays(-1)
	for _, listed := range dates {
		date, wrong := quote.ParseDate(listed)
		if wrong != nil || date.DaysSince(before) < 1 || date.DaysSince(r.to) > 0 { // so there are no more than most
			return nil, failf(NoService, "what answers is no rates service: %s lists %q among %v to %v", daysKey, listed, r.from, r.to)
		}
		before = date
	}
	return dates, err
}

// queue adds a command to a pipeline whose answer is strings; what there is
// not is empty.
func queue(ctx context.Context, pipe redis.Pipeliner, name string, args ...string) *redis.StringSliceCmd {
	all := []any{name}
	for _, arg := range args {
		all = append(all, arg)
	}
	cmd := redis.NewStringSliceCmd(ctx, all...)
	_ = pipe.Process(ctx, cmd) // which only queues it
	return cmd
}

// send makes an exchange. It returns why none came about; what the server says
// to a command is in the command.
func (o *overRedis) send(ctx context.Context, pipe redis.Pipeliner) error {
	var info *redis.StringCmd
	if o.greet.Load() {
		info = pipe.Info(ctx, "server")
	}
	cmds, err := pipe.Exec(ctx)
	var said redis.Error
	if errors.As(err, &said) && slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool { return cmd.Err() != nil }) {
		err = nil
	}
	if info != nil && err == nil {
		o.greet.Store(false)
		name := serverName(info.Val())
		o.server.Store(&name)
	}
	return err
}

// serverName is how a server names itself in INFO, as in HTTP's Server: a Redis
// says redis_version, rates says rates_version beside it.
func serverName(info string) (name string) {
	for line := range strings.Lines(info) {
		field, version, _ := strings.Cut(strings.TrimSpace(line), ":")
		if app, ok := strings.CutSuffix(field, "_version"); ok && (app == "rates" || app == "redis" && name == "") {
			name = app + "/" + version
		}
	}
	return name
}

// read turns what came into what to keep, or into why it is none.
func (o *overRedis) read(days []hash, q question, before *kept) (*kept, error) {
	k := &kept{answered: o.now()}
	var all []dayReply
	for _, day := range days {
		k.body = append(append(k.body, strings.Join(day, "\n")...), '\n')
	}
	if len(days) == 0 {
		return nil, errNone(q)
	} else if k.same(before) {
		return k, nil
	}
	var err error
	for _, day := range days {
		reply, wrong := day.reply()
		all, err = append(all, reply), cmp.Or(err, wrong)
	}
	switch {
	case err != nil:
	case q.isRange():
		k.days, err = pairDays(all, q.days, q.pair[0], q.pair[1])
	default:
		k.table, err = all[0].table(q.date, quote.DateOf(k.answered))
	}
	if err != nil {
		return nil, failf(NoService, "what answers is no rates service: %s gave %v", o.path(q), err)
	}
	if q.isRange() && len(k.days) == 0 {
		return nil, errNone(q)
	}
	return k, nil
}

// hash is a day as it was answered: field, value, field, value.
type hash []string

// hashOf has the fields that have a value.
func hashOf(names, values []string) (h hash) {
	for i, value := range values {
		if value != "" {
			h = append(h, names[i], value)
		}
	}
	return h
}

// reply is a day as HTTP would have it.
func (h hash) reply() (dayReply, error) {
	if len(h)%2 != 0 || len(h) > 2*maxFields {
		return dayReply{}, fmt.Errorf("%d fields and values", len(h))
	}
	day := dayReply{Amount: json.RawMessage("1"), Rates: make(map[string]json.RawMessage, len(h)/2)}
	for i := 0; i < len(h); i += 2 {
		switch name, value := h[i], h[i+1]; name {
		case "date":
			day.Date = value
		case "base":
			day.Base = value
		default:
			day.Rates[name] = json.RawMessage(value)
		}
	}
	return day, nil
}
