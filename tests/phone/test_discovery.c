/* SPDX-License-Identifier: MIT */
#include "core/phone/discovery.h"
#include "tests/test.h"

#include <errno.h>

static struct arena arena;

static int decide(const char *settings, const struct phone_dhcp *dhcp, struct discovery *discovery,
		  const char **problem)
{
	struct phone_config config = {0};
	unsigned line;

	arena_reset(&arena);
	CHECK_EQUAL(0, phone_config_parse(span_text(settings), &arena, &config, &line));
	return discovery_decide(&config, dhcp, discovery, problem);
}

static struct span config_url(const struct discovery *discovery)
{
	static char buffer[phone_url_size];
	struct phone_identity who = {.model = SPAN("440HD")};
	struct writer w = writer_over(buffer, sizeof(buffer));

	phone_url_write(&w, &discovery->config, PHONE_FILE_CONFIG, &who);
	return writer_span(&w);
}

/* audiocodes.md 1.3, 1.4 */
static void takes_160_before_66_and_subscribes_only_without_them(void)
{
	struct phone_dhcp dhcp = {.options = {{67, SPAN("a.img;b.cfg")},
					      {66, SPAN("10.0.0.66")},
					      {160, SPAN("http://h/x.img;y.cfg")}},
				  .count = 3};
	struct discovery discovery;
	const char *problem = NULL;

	REQUIRE(decide("", &dhcp, &discovery, &problem) == 0);
	CHECK_EQUAL(DISCOVERY_DHCP_URL, discovery.source);
	CHECK_TEXT("http://h/y.cfg", config_url(&discovery));
	dhcp.count = 2;
	REQUIRE(decide("provisioning/method=DYNAMIC", &dhcp, &discovery, &problem) == 0);
	CHECK_EQUAL(DISCOVERY_DHCP_BOOT, discovery.source);
	CHECK_TEXT("tftp://10.0.0.66/b.cfg", config_url(&discovery));
	dhcp.count = 1;
	REQUIRE(decide("", &dhcp, &discovery, &problem) == 0);
	CHECK_EQUAL(DISCOVERY_SIP, discovery.source);
	dhcp.count = 0;
	REQUIRE(decide("", &dhcp, &discovery, &problem) == 0);
	CHECK_EQUAL(DISCOVERY_SIP, discovery.source);
}

static void takes_another_option_number(void)
{
	struct phone_dhcp dhcp = {.options = {{160, SPAN("http://h160")},
					      {161, SPAN("http://h161")}},
				  .count = 2};
	struct discovery discovery;
	const char *problem = NULL;

	REQUIRE(decide("provisioning/url_option_value=161", &dhcp, &discovery, &problem) == 0);
	CHECK_TEXT("http://h161/000000000000.cfg", config_url(&discovery));
}

static void says_which_option_cannot_be_used(void)
{
	struct phone_dhcp dhcp = {.options = {{160, SPAN("gopher://h")}}, .count = 1};
	struct discovery discovery = {.source = DISCOVERY_STATIC};
	const char *problem = "";

	CHECK_EQUAL(-EPROTONOSUPPORT, decide("", &dhcp, &discovery, &problem));
	CHECK_TEXT("DHCP URL option", span_text(problem));
	CHECK_EQUAL(DISCOVERY_STATIC, discovery.source);
}

/* audiocodes.md 1.7 */
static void honours_the_method(void)
{
	struct phone_dhcp dhcp = {.options = {{160, SPAN("http://h160")}}, .count = 1};
	struct discovery discovery;
	const char *problem = "";

	REQUIRE(decide("provisioning/method=disable", &dhcp, &discovery, &problem) == 0);
	CHECK_EQUAL(DISCOVERY_DISABLED, discovery.source);
	CHECK(!discovery.has_firmware && !discovery.has_config);

	REQUIRE(decide("provisioning/method=STATIC\nprovisioning/configuration/url=tftp://h/c.cfg",
		       &dhcp, &discovery, &problem) == 0);
	CHECK_EQUAL(DISCOVERY_STATIC, discovery.source);
	CHECK(!discovery.has_firmware);
	CHECK_TEXT("tftp://h/c.cfg", config_url(&discovery));

	CHECK_EQUAL(-ENODATA, decide("provisioning/method=Static", &dhcp, &discovery, &problem));
	CHECK_EQUAL(-EINVAL, decide("provisioning/method=Sometimes", &dhcp, &discovery, &problem));
	CHECK_TEXT("provisioning/method", span_text(problem));
	CHECK_EQUAL(-EINVAL, decide("provisioning/method=Static\n"
				    "provisioning/firmware/url=http://h/../x",
				    &dhcp, &discovery, &problem));
	CHECK_TEXT("provisioning/firmware/url", span_text(problem));
}

int main(void)
{
	arena_init(&arena, 1 << 20);
	RUN(takes_160_before_66_and_subscribes_only_without_them);
	RUN(takes_another_option_number);
	RUN(says_which_option_cannot_be_used);
	RUN(honours_the_method);
	arena_free(&arena);
	return test_end();
}
