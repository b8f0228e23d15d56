/* SPDX-License-Identifier: MIT */
/*
 * sim [--seed N] [--seeds COUNT] [--phones COUNT] [--tap]
 *
 * Plays whole power cuts of a fleet, one a seed, and leaves with 1 at the first world in which
 * something did not hold, with the seed that plays it again. `--seed` plays one, or with `--seeds`
 * so many from there on; without it the first one is drawn. `--tap` is for the test run.
 */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { seeds_default = 200, phones_default = 200, progress_every = 20 };

struct options {
	uint64_t first;
	uint64_t count;
	size_t phones;
	bool is_tap;
};

static bool read_options(int count, char **arguments, struct options *o)
{
	bool has_seed = false;
	bool has_count = false;

	*o = (struct options){.count = seeds_default, .phones = phones_default};
	for (int i = 1; i < count; i++) {
		uint64_t number = 0;

		if (strcmp(arguments[i], "--tap") == 0) {
			o->is_tap = true;
			continue;
		}
		if (i + 1 == count ||
		    span_to_unsigned(span_text(arguments[i + 1]), INT64_MAX, &number) != 0) {
			return false;
		}
		if (strcmp(arguments[i], "--seed") == 0) {
			has_seed = true;
			o->first = number;
		} else if (strcmp(arguments[i], "--seeds") == 0 && number > 0) {
			has_count = true;
			o->count = number;
		} else if (strcmp(arguments[i], "--phones") == 0 && number >= 2 &&
			   number <= sim_phones_max) {
			o->phones = (size_t)number;
		} else {
			return false;
		}
		i++;
	}
	if (has_seed && !has_count) {
		o->count = 1;
	}
	if (!has_seed && getrandom(&o->first, sizeof(o->first), 0) == sizeof(o->first)) {
		o->first %= 1000000000;
	}
	return true;
}

static void add_reason(struct sim_counts *sum, const struct signalling_counter *counter)
{
	for (size_t i = 0; i < sum->reason_count; i++) {
		if (strcmp(sum->reasons[i].reason, counter->reason) == 0) {
			sum->reasons[i].count += counter->count;
			return;
		}
	}
	if (sum->reason_count < sim_reasons_max) {
		sum->reasons[sum->reason_count++] = *counter;
	}
}

static void add_counts(struct sim_counts *sum, const struct sim_counts *counts)
{
	sum->datagrams += counts->datagrams;
	sum->lost += counts->lost;
	sum->duplicated += counts->duplicated;
	sum->unreachable += counts->unreachable;
	sum->phones += counts->phones;
	sum->told += counts->told;
	sum->promised += counts->promised;
	sum->learned += counts->learned;
	for (size_t i = 0; i < counts->reason_count; i++) {
		add_reason(sum, &counts->reasons[i]);
	}
}

static int by_count(const void *a, const void *b)
{
	const struct signalling_counter *left = a;
	const struct signalling_counter *right = b;

	return left->count != right->count ? (left->count < right->count ? 1 : -1)
					   : strcmp(left->reason, right->reason);
}

static void print_counts(struct sim_counts *counts)
{
	printf("# datagrams %" PRIu64 ", lost %" PRIu64 ", duplicated %" PRIu64
	       ", unreachable %" PRIu64 "\n",
	       counts->datagrams, counts->lost, counts->duplicated, counts->unreachable);
	printf("# phones %" PRIu64 ", have their URL %" PRIu64 ", of whom had to get it %" PRIu64
	       "\n",
	       counts->phones, counts->told, counts->promised);
	printf("# kinds of phones whose form was learned %" PRIu64 "\n", counts->learned);
	qsort(counts->reasons, counts->reason_count, sizeof(counts->reasons[0]), by_count);
	for (size_t i = 0; i < counts->reason_count; i++) {
		printf("#   %-26s %" PRIu64 "\n", counts->reasons[i].reason,
		       counts->reasons[i].count);
	}
}

static void print_moments(const struct sim_phone *phone)
{
	size_t first =
		phone->moment_count > sim_moments_max ? phone->moment_count - sim_moments_max : 0;

	for (size_t i = first; i < phone->moment_count; i++) {
		const struct sim_moment *m = &phone->moments[i % sim_moments_max];
		char text[4 * sizeof(m->head) + 8];
		struct writer w = writer_over(text, sizeof(text));
		size_t shown = m->length < sizeof(m->head) ? m->length : sizeof(m->head);

		writer_escaped(&w, span_make(m->head, shown), sizeof(m->head));
		writer_terminate(&w);
		printf("#   %8.3f s  %-34s %s\n", (double)(m->at_ms - 1000000) / 1000, m->what,
		       text);
	}
}

static void print_failure(const struct sim_world *world, size_t phones)
{
	const struct sim_weather *w = &world->weather;

	printf("# seed %" PRIu64 ": %s\n", world->seed, world->problem);
	printf("#   loss %u %%, duplicates %u %%, slow %u %%, delay to %u ms, shell late to %u ms"
	       "%s%s\n",
	       w->loss_percent, w->duplicate_percent, w->slow_percent, w->delay_ms, w->late_ms,
	       w->is_tight ? ", tight tables" : "", w->is_limited ? ", rate limit" : "");
	if (world->offender) {
		sim_traits_print(world->offender);
		print_moments(world->offender);
	}
	printf("# again: ./dev sim --seed %" PRIu64 " --phones %zu\n", world->seed, phones);
}

/* The same seed makes the same world, to the octet. */
static bool is_repeatable(uint64_t seed, size_t phones, uint64_t trace)
{
	static struct sim_world world;
	bool is_same = sim_run(&world, seed, phones) && world.trace == trace;

	sim_free(&world);
	if (!is_same) {
		printf("# seed %" PRIu64 " went another way the second time\n", seed);
	}
	return is_same;
}

int main(int count, char **arguments)
{
	static struct sim_world world;
	static struct sim_counts sum;
	struct options options;
	uint64_t failed = 0;
	uint64_t trace = 0;

	if (!read_options(count, arguments, &options)) {
		fputs("usage: sim [--seed N] [--seeds COUNT] [--phones COUNT] [--tap]\n", stderr);
		return 2;
	}
	printf("# first seed %" PRIu64 ", seeds %" PRIu64 ", phones %zu\n", options.first,
	       options.count, options.phones);
	for (uint64_t i = 0; i < options.count && (options.is_tap || failed == 0); i++) {
		uint64_t seed = options.first + i;
		bool is_good = sim_run(&world, seed, options.phones);

		if (!is_good) {
			print_failure(&world, options.phones);
		}
		trace = sim_hash(trace, span_make((const char *)&world.trace, sizeof(trace)));
		add_counts(&sum, &world.counts);
		is_good = is_good && is_repeatable(seed, options.phones, world.trace);
		sim_free(&world);
		failed += !is_good;
		if (options.is_tap) {
			printf("%s %" PRIu64 " - seed_%" PRIu64 "\n", is_good ? "ok" : "not ok",
			       i + 1, seed);
		} else if ((i + 1) % progress_every == 0 && is_good) {
			printf("# %" PRIu64 " of %" PRIu64 " seeds\n", i + 1, options.count);
		}
		fflush(stdout);
	}
	print_counts(&sum);
	printf("# trace %016" PRIx64 "\n", trace);
	if (options.is_tap) {
		printf("1..%" PRIu64 "\n", options.count);
	} else if (failed == 0) {
		puts("ok");
	}
	return failed == 0 ? 0 : 1;
}
