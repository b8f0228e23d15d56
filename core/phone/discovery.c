/* SPDX-License-Identifier: MIT */
#include "core/phone/discovery.h"

#include <errno.h>

enum { option_server = 66, option_boot_file = 67, option_url_default = 160 };

static struct span option_find(const struct phone_dhcp *dhcp, unsigned number)
{
	for (size_t i = 0; i < dhcp->count; i++) {
		if (dhcp->options[i].number == number) {
			return span_trim(dhcp->options[i].value);
		}
	}
	return (struct span){0};
}

static int decide_static(const struct phone_config *config, struct discovery *discovery,
			 const char **problem)
{
	struct span firmware = phone_config_get(config, "provisioning/firmware/url");
	struct span settings = phone_config_get(config, "provisioning/configuration/url");
	int error = 0;

	discovery->source = DISCOVERY_STATIC;
	*problem = "provisioning/firmware/url";
	if (!span_is_empty(firmware)) {
		error = phone_url_parse_file(firmware, PHONE_FILE_FIRMWARE, &discovery->firmware);
		discovery->has_firmware = error == 0;
	}
	if (error != 0) {
		return error;
	}
	*problem = "provisioning/configuration/url";
	if (!span_is_empty(settings)) {
		error = phone_url_parse_file(settings, PHONE_FILE_CONFIG, &discovery->config);
		discovery->has_config = error == 0;
	}
	if (error == 0 && !discovery->has_firmware && !discovery->has_config) {
		return -ENODATA;
	}
	return error;
}

/* audiocodes.md 1.3: 160 before 66 with 67; 1.4: SIP only when DHCP gave none of them. */
static int decide_dynamic(const struct phone_config *config, const struct phone_dhcp *dhcp,
			  struct discovery *discovery, const char **problem)
{
	struct span setting = phone_config_get(config, "provisioning/url_option_value");
	uint64_t number = option_url_default;
	struct span url;
	int error;

	if (span_to_unsigned(setting, UINT8_MAX, &number) != 0) {
		number = option_url_default;
	}
	url = option_find(dhcp, (unsigned)number);
	if (!span_is_empty(url)) {
		*problem = "DHCP URL option";
		discovery->source = DISCOVERY_DHCP_URL;
		error = phone_url_parse(url, &discovery->config);
	} else if (!span_is_empty(option_find(dhcp, option_server))) {
		*problem = "DHCP options 66 and 67";
		discovery->source = DISCOVERY_DHCP_BOOT;
		error = phone_url_parse_boot(option_find(dhcp, option_server),
					     option_find(dhcp, option_boot_file),
					     &discovery->config);
	} else {
		/* 67 without 66 names no server, whatever it says (audiocodes.md 2.5). */
		discovery->source = DISCOVERY_SIP;
		return 0;
	}
	discovery->firmware = discovery->config;
	discovery->has_firmware = error == 0;
	discovery->has_config = error == 0;
	return error;
}

int discovery_decide(const struct phone_config *config, const struct phone_dhcp *dhcp,
		     struct discovery *discovery, const char **problem)
{
	struct span method = phone_config_get(config, "provisioning/method");
	struct discovery decided = {.source = DISCOVERY_DISABLED};
	const char *about = "provisioning/method";
	int error = 0;

	if (span_is_empty(method) || span_equal_nocase(method, SPAN("Dynamic"))) {
		error = decide_dynamic(config, dhcp, &decided, &about);
	} else if (span_equal_nocase(method, SPAN("Static"))) {
		error = decide_static(config, &decided, &about);
	} else if (!span_equal_nocase(method, SPAN("Disable"))) {
		error = -EINVAL;
	}
	if (error == 0) {
		*discovery = decided;
	} else {
		*problem = about;
	}
	return error;
}

const char *discovery_source_name(enum discovery_source source)
{
	switch (source) {
	case DISCOVERY_DISABLED:
		return "disable";
	case DISCOVERY_STATIC:
		return "static";
	case DISCOVERY_DHCP_URL:
		return "dhcp_160";
	case DISCOVERY_DHCP_BOOT:
		return "dhcp_66";
	case DISCOVERY_SIP:
		return "sip";
	}
	return "unknown";
}
