/* SPDX-License-Identifier: MIT */
/*
 * The shared corpus, where it is there: what the codec alone decides must be among the answers of
 * the column pds_answer.
 */
#include "judge.h"
#include "tests/test.h"

static struct sip_message message;
static char root[900];
static const char *folder;
static unsigned judged;

/* The status stands in the text as a word of its own. */
static bool answer_allows(const char *answer, unsigned status)
{
	char word[16];
	const char *p = answer;

	snprintf(word, sizeof(word), "%u", status);
	while ((p = strstr(p, word))) {
		if ((p == answer || !ascii_is_digit(p[-1])) && !ascii_is_digit(p[3])) {
			return true;
		}
		p++;
	}
	return false;
}

static bool is_about_policy(const char *answer)
{
	return strstr(answer, "policy") || strstr(answer, "must not") || strstr(answer, "482") ||
	       strstr(answer, "must survive") || strstr(answer, "no crash") ||
	       strstr(answer, "as uas_answer") || strstr(answer, "do not assert") ||
	       strstr(answer, "do not imitate") || strstr(answer, "split before use");
}

static void check_row(char *line)
{
	char *field[16] = {NULL};
	unsigned count = 0;
	char path[2000];
	size_t length = 0;
	char *data;
	struct judgement j;
	bool is_right;

	for (char *rest = line; rest && count < 16;) {
		field[count++] = strsep(&rest, "\t");
	}
	REQUIRE(count >= 7);
	snprintf(path, sizeof(path), "%s/%s/%s", root, folder, field[0]);
	data = judge_read_file(path, &length);
	REQUIRE(data);
	j = judge(&message, span_make(data, length));
	judged++;
	if (!is_about_policy(field[6]) && !strstr(field[5], "competitor")) {
		is_right = j.status == 0 ? strstr(field[6], "no answer") != NULL
					 : answer_allows(field[6], j.status);
		if (!is_right) {
			test_is_failed = true;
			printf("# %s/%s: %u %s (%d), expected %s\n", folder, field[0], j.status,
			       j.fault ? j.fault : "", j.error, field[6]);
		}
	}
	free(data);
}

static void check_folder(const char *name)
{
	char path[1000];

	snprintf(path, sizeof(path), "%s/%s/index.tsv", root, name);
	folder = name;
	judged = 0;
	judge_each_row(path, check_row);
	if (judged == 0) {
		test_skip("the shared corpus is not there");
	} else {
		printf("# %s: %u messages\n", name, judged);
	}
}

static void rfc4475(void)
{
	check_folder("rfc4475");
}

static void rfc5118(void)
{
	check_folder("rfc5118");
}

static void subscribe_mutants(void)
{
	check_folder("subscribe-mutants");
}

static void phones(void)
{
	check_folder("phones");
}

static void protos_style(void)
{
	check_folder("protos-style");
}

static void jsip_torture(void)
{
	check_folder("jsip-torture");
}

static void sipgo_fuzz_crashers(void)
{
	check_folder("sipgo-fuzz-crashers");
}

static void profuzzbench(void)
{
	check_folder("profuzzbench");
}

int main(void)
{
	const char *named = getenv("BELLHOP_CORPUS");

	snprintf(root, sizeof(root), "%s", named ? named : SOURCE_ROOT "/../shared/corpus");
	RUN(rfc4475);
	RUN(rfc5118);
	RUN(subscribe_mutants);
	RUN(phones);
	RUN(protos_style);
	RUN(jsip_torture);
	RUN(sipgo_fuzz_crashers);
	RUN(profuzzbench);
	return test_end();
}
