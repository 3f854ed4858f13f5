"""An engine's own cleanup configuration becomes one that can be used here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.configuration.reader import load_settings
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.history.camunda.configuration_import.configuration import (
    ImportedConfiguration,
    import_engine_configuration,
)

if TYPE_CHECKING:
    from cleanupctl.core.settings import Settings


def imported(
    tmp_path: Path, name: str, content: str | bytes, engine: str | None = None
) -> ImportedConfiguration:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    result = import_engine_configuration(path, engine=engine)
    load(tmp_path, result.toml)
    load(tmp_path, uncommented(result.toml))
    return result


def load(folder: Path, toml: str) -> Settings:
    path = folder / "imported.toml"
    path.write_text(toml, encoding="utf-8")
    return load_settings(config=path, database=None, environment={"DB_USER": "u", "DB_HOST": "h"})


def uncommented(toml: str) -> str:
    """The text with the suggested history in force."""
    head, separator, rest = toml.partition("# [[history]]")
    history, gap, end = rest.partition("\n\n")
    return head + separator[2:] + history.replace("\n# ", "\n") + gap + end


def values(result: ImportedConfiguration) -> dict[str, Any]:
    return {taken.path: taken.result for taken in result.taken}


def reasons(result: ImportedConfiguration) -> dict[str, str]:
    return {left.name: left.reason for left in result.left}


BPM_PLATFORM = """\
<?xml version="1.0" encoding="UTF-8"?>
<bpm-platform xmlns="http://www.camunda.org/schema/1.0/BpmPlatform">
  <job-executor><job-acquisition name="default"/></job-executor>
  <process-engine name="reporting">
    <properties><property name="historyCleanupDegreeOfParallelism">7</property></properties>
  </process-engine>
  <process-engine name="default">
    <job-acquisition>default</job-acquisition>
    <datasource>java:jdbc/ProcessEngine</datasource>
    <properties>
      <property name="history">full</property>
      <property name="jobExecutorAcquireByPriority">true</property>
      <!-- cleanup -->
      <property name="historyCleanupBatchWindowStartTime">20:00</property>
      <property name="historyCleanupBatchWindowEndTime">06:00</property>
      <property name="mondayHistoryCleanupBatchWindowStartTime">21:00+0100</property>
      <property name="sundayHistoryCleanupBatchWindowStartTime">06:00</property>
      <property name="sundayHistoryCleanupBatchWindowEndTime"> 06:00 </property>
      <property name="historyCleanupDegreeOfParallelism">3</property>
      <property name="historyCleanupBatchSize">500</property>
      <property name="historyCleanupBatchThreshold">20</property>
      <property name="historyCleanupStrategy">endTimeBased</property>
      <property name="historyCleanupJobLogTimeToLive">P5D</property>
      <property name="batchOperationHistoryTimeToLive">P7D</property>
      <property name="taskMetricsTimeToLive">540</property>
      <property name="historyTimeToLive">P180D</property>
      <property name="historyCleanupEnabled">false</property>
      <property name="historyCleanupDefaultNumberOfRetries">5</property>
      <property name="defaultNumberOfRetries">7</property>
      <property name="historyCleanupJobPriority">10</property>
      <property name="historyRemovalTimeStrategy">end</property>
      <property name="historyCleanupMetricsEnabled">true</property>
      <property name="historyCleanupSomethingNew">1</property>
      <property name="databaseTablePrefix">PROD_</property>
    </properties>
  </process-engine>
</bpm-platform>
"""


def test_bpm_platform_xml_is_taken_over_as_far_as_there_are_counterparts(tmp_path: Path) -> None:
    result = imported(tmp_path, "bpm-platform.xml", BPM_PLATFORM)
    assert values(result) == {
        "window.start": "20:00",
        "window.end": "06:00",
        "window.monday.start": "21:00+0100",
        "window.sunday.start": "06:00",
        "window.sunday.end": "06:00",
        "cleanup.parallelism": 3,
        "cleanup.batch_size": 500,
        "cleanup.strategy": "end-time",
        "history.cleanup_log_ttl": "P5D",
        "history.batch_ttl.default": "P7D",
        "cleanup.enabled": False,
        "cleanup.retries": 5,
        "cleanup.job_priority": 10,
        "history.task_metrics_ttl": "P540D",
        "history.table_prefix": "PROD_",
    }
    assert set(reasons(result)) == {
        "historyCleanupBatchThreshold",
        "historyTimeToLive",
        "historyRemovalTimeStrategy",
        "historyCleanupMetricsEnabled",
        "historyCleanupSomethingNew",
        "process-engine reporting",
    }
    for left in result.left:
        assert f"#   {left.name}" in result.toml
        assert left.reason in result.toml


def test_what_was_imported_is_in_force(tmp_path: Path) -> None:
    result = imported(tmp_path, "bpm-platform.xml", BPM_PLATFORM)
    settings = load(tmp_path, result.toml)
    assert settings.histories == ()
    assert settings.cleanup.parallelism == 3
    assert settings.windows.general is not None
    assert set(settings.windows.weekdays) == {0, 6}
    (history,) = load(tmp_path, uncommented(result.toml)).histories
    assert (history.table_prefix, history.task_metrics_ttl, history.strategy) == ("PROD_", 540, "end-time")
    assert "historyCleanupBatchSize = 500 (the engine takes 500 at most" in result.toml


def test_another_engine_of_the_file_is_imported_by_its_name(tmp_path: Path) -> None:
    result = imported(tmp_path, "bpm-platform.xml", BPM_PLATFORM, engine="reporting")
    assert values(result) == {"cleanup.parallelism": 7}
    assert "process-engine default" in reasons(result)
    with pytest.raises(InvalidValueError, match=r"there is no engine 'other' .*: it has reporting, default"):
        imported(tmp_path, "bpm-platform.xml", BPM_PLATFORM, engine="other")


SPRING = """\
<!DOCTYPE beans PUBLIC "-//SPRING//DTD BEAN//EN" "http://www.springframework.org/dtd/spring-beans.dtd">
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:p="http://www.springframework.org/schema/p"
       xmlns:util="http://www.springframework.org/schema/util">
  <bean class="Mail"><property name="url" value="smtp://x"/><property name="username" value="m"/></bean>
  <bean id="dataSource" class="org.apache.commons.dbcp.BasicDataSource">
    <property name="url" value="jdbc:postgresql://db:5433/camunda?currentSchema=engine&amp;password=geheim"/>
    <property name="username" value="camunda user"/>
    <property name="password" value="geheim"/>
  </bean>
  <bean id="processEngineConfiguration" class="org.camunda.bpm.engine.spring.SpringProcessEngineConfiguration"
        p:historyCleanupBatchSize="100">
    <property name="historyCleanupBatchWindowStartTime" value="${WINDOW_START:22:00}"/>
    <property name="historyCleanupDegreeOfParallelism" value="${PARALLELISM}"/>
    <property name="historyCleanupJobLogTimeToLive"><value>P5D</value></property>
    <property name="taskMetricsTimeToLive"><null/></property>
    <property name="historyCleanupBatchWindows">
      <map>
        <entry key="1"><bean class="BatchWindowConfiguration">
          <constructor-arg index="1" value="03:00"/><constructor-arg index="0" value="01:00"/></bean></entry>
        <entry><key><value>2</value></key><bean class="BatchWindowConfiguration">
          <property name="startTime" value="02:00"/><property name="endTime" value="${END:04:00}"/>
          </bean></entry>
        <entry><key><util:constant static-field="java.util.Calendar.SATURDAY"/></key>
          <bean class="BatchWindowConfiguration">
            <constructor-arg><value>05:00</value></constructor-arg><constructor-arg><null/></constructor-arg>
          </bean></entry>
        <entry key="8"><bean class="BatchWindowConfiguration"><constructor-arg value="05:00"/></bean></entry>
      </map>
    </property>
    <property name="mondayHistoryCleanupBatchWindowStartTime" value="07:00"/>
    <property name="batchOperationsForHistoryCleanup">
      <map><entry key="instance-migration" value="P10D"/><entry key="set-job-retries" value="P5D"/></map>
    </property>
  </bean>
</beans>
"""


def test_spring_beans_with_their_maps_and_placeholders_are_taken_over(tmp_path: Path) -> None:
    result = imported(tmp_path, "camunda.cfg.xml", SPRING)
    assert values(result) == {
        "cleanup.batch_size": 100,
        "history.cleanup_log_ttl": "P5D",
        "history.batch_ttl.instance-migration": "P10D",
        "history.batch_ttl.set-job-retries": "P5D",
        "window.start": "22:00",
        "window.sunday.start": "01:00",
        "window.sunday.end": "03:00",
        "window.monday.start": "07:00",
        "window.saturday.start": "05:00",
        "history.schema": "engine",
    }
    left = {each.name: each for each in result.left}
    assert left["historyCleanupDegreeOfParallelism"].value == "${PARALLELISM}"
    assert left["historyCleanupDegreeOfParallelism"].reason == (
        "its value is not in the file: set cleanup.parallelism"
    )
    assert left["historyCleanupBatchWindows[8]"].reason.startswith("this is no weekday")
    (history,) = load(tmp_path, uncommented(result.toml)).histories
    assert (history.cleanup_log_ttl, history.batch_ttl.by_type) == (
        5,
        {"instance-migration": 10, "set-job-retries": 5},
    )


def test_the_jdbc_url_becomes_a_suggested_history_without_its_password(tmp_path: Path) -> None:
    result = imported(tmp_path, "camunda.cfg.xml", SPRING)
    assert '# url = "postgresql://camunda%20user@db:5433/camunda"' in result.toml
    assert "geheim" not in repr(result)
    (history,) = load(tmp_path, uncommented(result.toml)).histories
    assert (history.url.user, history.schema) == ("camunda user", "engine")


@pytest.mark.parametrize(
    ("jdbc", "url"),
    [
        ("jdbc:mysql://db:3306/camunda?useSSL=false", "mysql://db:3306/camunda"),
        ("jdbc:mariadb://db/camunda?user=c&password=geheim", "mysql://c@db/camunda"),
        ("jdbc:postgresql:///camunda", "postgresql://localhost/camunda"),
        ("jdbc:aws-wrapper:postgresql://db/camunda", "postgresql://db/camunda"),
        ("jdbc:postgresql://${DB_HOST}/camunda", "postgresql://${DB_HOST}/camunda"),
        ("${DB_URL:jdbc:postgresql://db/camunda}", "postgresql://db/camunda"),
        ("jdbc:h2:mem:camunda;password=geheim", None),
        ("jdbc:oracle:thin:camunda/geheim@db:1521:xe", None),
        ("jdbc:postgresql://one:1,two:2/camunda?password=geheim", None),
        ("jdbc:postgresql://u:geheim@db/camunda", None),
        ("${DB_URL}", None),
    ],
)
def test_jdbc_urls_become_ours_or_are_told_as_left(tmp_path: Path, jdbc: str, url: str | None) -> None:
    result = imported(tmp_path, "application.properties", f"spring.datasource.url={jdbc}\n")
    if url:
        assert f'# url = "{url}"\n' in result.toml
        assert result.left == ()
    else:
        assert "  # an example: it is not in the file" in result.toml
        assert [each.name for each in result.left] == ["jdbcUrl"]
    assert "geheim" not in repr(result)


YAML = """\
spring:
  datasource: {url: "jdbc:postgresql://db/camunda", username: "${DB_USER}", password: geheim}
camunda.bpm:
  history-level: full
  default-number-of-retries: 4
  database:
    table-prefix: PROD_
    schema-name: engine
  generic-properties:
    properties:
      historyCleanupBatchWindowStartTime: 20:00
      history-cleanup-batch-window-end-time: "${WINDOW_END:${OTHER:06:00}}"
      history-cleanup-degree-of-parallelism: 4
      historyCleanupEnabled: yes
      historyCleanupStrategy: removalTimeBased
      task-metrics-time-to-live: null
      batch-operations-for-history-cleanup:
        instance-migration: P10D
        own type: P1D
        instance-deletion: null
        set-variables: P1M
---
spring.config.activate.on-profile: production
camunda.bpm.generic-properties.properties:
  historyCleanupBatchSize: 100
  historyLevel: full
"""


@pytest.mark.parametrize("name", ["application.yaml", "application.yml"])
def test_an_application_in_yaml_is_taken_over(tmp_path: Path, name: str) -> None:
    result = imported(tmp_path, name, YAML)
    assert values(result) == {
        "cleanup.parallelism": 4,
        "cleanup.strategy": "removal-time",
        "cleanup.retries": 4,
        "window.start": "20:00",  # not the number 1200 that YAML makes of it
        "window.end": "06:00",
        "history.schema": "engine",
        "history.table_prefix": "PROD_",
        "history.batch_ttl.instance-migration": "P10D",
        "history.batch_ttl.own type": "P1D",
        "history.batch_ttl.instance-deletion": "none",
    }
    found = reasons(result)
    assert found["historyCleanupEnabled"].startswith('"yes" is neither true nor false')
    assert found["historyCleanupBatchSize"] == (
        "it holds in profile production only: set it by hand where that is active"
    )
    assert found["batch-operations-for-history-cleanup[set-variables]"].startswith("P1M is not a time")
    with_user = uncommented(result.toml).replace("${DB_USER}", "user")
    (history,) = load(tmp_path, with_user).histories
    assert history.batch_ttl.by_type == {"instance-migration": 10, "own type": 1, "instance-deletion": None}
    assert '# url = "postgresql://${DB_USER}@db/camunda"' in result.toml
    assert "geheim" not in repr(result)


def test_an_application_in_properties_is_taken_over(tmp_path: Path) -> None:
    result = imported(
        tmp_path,
        "application.properties",
        """\
# camunda.bpm.generic-properties.properties.historyCleanupBatchSize=1
! camunda.bpm.generic-properties.properties.historyCleanupBatchSize=2
operaton.bpm.generic-properties.properties.historyCleanupBatchWindowStartTime = 20\\:00
  operaton.bpm.genericProperties.properties.historyCleanupBatchWindowEndTime: \\
      06:00
operaton.bpm.generic-properties.properties[historyCleanupDegreeOfParallelism] 2
operaton.bpm.generic-properties.properties.historyCleanupJobPriority=\\u0031\\u0030
operaton.bpm.generic-properties.properties.friday-history-cleanup-batch-window-start-time=21:00
quarkus.operaton.generic-config.history-cleanup-default-number-of-retries=6
unrelated=1
#---
spring.config.activate.on-profile=test
operaton.bpm.generic-properties.properties.historyCleanupEnabled=false
""",
    )
    assert values(result) == {
        "window.start": "20:00",
        "window.end": "06:00",
        "window.friday.start": "21:00",
        "cleanup.parallelism": 2,
        "cleanup.job_priority": 10,
        "cleanup.retries": 6,
    }
    assert list(reasons(result)) == ["historyCleanupEnabled"]


# values the engine takes and we do not, or differently


@pytest.mark.parametrize(
    ("properties", "taken", "left"),
    [
        (
            {"historyCleanupDegreeOfParallelism": "9"},
            {},
            {"historyCleanupDegreeOfParallelism": "9 is more than 8"},
        ),
        (
            {"historyCleanupBatchSize": "many"},
            {},
            {"historyCleanupBatchSize": '"many" is not a whole number'},
        ),
        (
            {"historyCleanupJobLogTimeToLive": "P1M"},
            {},
            {"historyCleanupJobLogTimeToLive": "P1M is not a time"},
        ),
        ({"historyCleanupStrategy": "none"}, {}, {"historyCleanupStrategy": '"none" is unknown'}),
        (
            {"historyCleanupBatchWindowEndTime": "06:00"},
            {},
            {"historyCleanupBatchWindowEndTime": "there is no start"},
        ),
        (
            {"historyCleanupBatchWindowStartTime": "20:00", "historyCleanupBatchWindowEndTime": "6 o'clock"},
            {},
            {
                "historyCleanupBatchWindowStartTime": "the other half of this window cannot be used",
                "historyCleanupBatchWindowEndTime": "6 o'clock is not a time of day",
            },
        ),
        ({"historyCleanupBatchWindowStartTime": "20:00+02:00"}, {"window.start": "20:00"}, {}),
        ({"historyCleanupBatchWindowStartTime": "20:00Z"}, {"window.start": "20:00"}, {}),
        ({"historyCleanupBatchWindowStartTime": "20:00+0200"}, {"window.start": "20:00+0200"}, {}),
        (
            {"historyCleanupDefaultNumberOfRetries": "-2147483648", "defaultNumberOfRetries": "7"},
            {"cleanup.retries": 7},
            {},
        ),
        (
            {"historyCleanupDefaultNumberOfRetries": "0", "defaultNumberOfRetries": "7"},
            {"cleanup.retries": 0},
            {},
        ),
        ({"historyCleanupJobLogTimeToLive": "05"}, {"history.cleanup_log_ttl": "P5D"}, {}),
        (
            {"historyCleanupBatchSize": "@batch.size@"},
            {},
            {"historyCleanupBatchSize": "its value is not in the"},
        ),
        (
            {"historyCleanupBatchSize": "#{1+1}"},
            {},
            {"historyCleanupBatchSize": "its value is not in the file"},
        ),
    ],
)
def test_values_are_taken_as_the_engine_means_them_or_told_as_left(
    tmp_path: Path, properties: dict[str, str], taken: dict[str, object], left: dict[str, str]
) -> None:
    lines = [f'<property name="{name}" value="{value}"/>' for name, value in properties.items()]
    result = imported(tmp_path, "camunda.cfg.xml", f"<beans><bean>{''.join(lines)}</bean></beans>")
    assert values(result) == taken
    assert set(reasons(result)) == set(left)
    for name, reason in left.items():
        assert reasons(result)[name].startswith(reason)


def test_a_file_without_cleanup_gives_a_configuration_that_can_be_used(tmp_path: Path) -> None:
    result = imported(tmp_path, "application.yaml", "server.port: 8080\n")
    assert result.taken == result.left == ()
    assert tomllib.loads(result.toml) == {}


def test_nothing_that_somebody_wrote_gets_out_of_its_comment(tmp_path: Path) -> None:
    evil = "1\\n[cleanup]\\nparallelism = 8\\u0085\\u007f"
    result = imported(
        tmp_path,
        "application.yaml",
        f'a.bpm.generic-properties.properties: {{historyTimeToLive: "{evil}", "historyCleanupX\\nx": 1}}\n',
    )
    assert tomllib.loads(result.toml) == {}
    assert len(result.left) == 2


# what is refused

LAUGHS = """\
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<beans><property name="historyCleanupBatchSize">&c;</property></beans>
"""
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x><property name="a">&a;</property></x>'
YAML_LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", LAUGHS, "is refused: it declares XML entities, which can be used for attacks; remove them"),
        ("a.xml", EXTERNAL, "is refused: it declares XML entities"),
        ("a.xml", "<a>\n<b></a>", "line 2, column 6: this is not XML: mismatched tag"),
        ("a.xml", "", "line 1, column 1: this is not XML: no element found"),
        ("a.xml", '<?xml version="1.0" encoding="x-none"?><a/>', "unknown encoding"),
        ("a.xml", b"<a>" + b" " * 5_000_000 + b"</a>", "cannot be read: it has more than 5000000 bytes"),
        ("a.yaml", YAML_LAUGHS, "line 2: aliases are not read: write out what *a stands for"),
        ("a.yaml", "a: [1", "line 1, column 6: this is not YAML: expected ',' or ']'"),
        ("a.yaml", "a: b: c", "line 1, column 5: this is not YAML: mapping values are not allowed here"),
        ("a.yaml", b"a: \xff\xfe", "this is not YAML:"),
        ("a.yaml", "[" * 5000 + "]" * 5000, "line 1: lists and mappings are nested more than 50 deep"),
        ("a.properties", b"#" * 1_000_001, "cannot be read: it has more than 1000000 bytes"),
    ],
)
def test_attacks_and_broken_files_are_refused(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        imported(tmp_path, name, content)
    assert message in " ".join([caught.value.message, *caught.value.faults])


def test_objects_in_yaml_are_only_text(tmp_path: Path) -> None:
    tagged = 'camunda.bpm.default-number-of-retries: !!python/object/apply:os.system ["true"]\n'
    assert imported(tmp_path, "a.yaml", tagged).taken == ()
    assert imported(tmp_path, "a.yaml", "x: !!timestamp nonsense\n").taken == ()


def test_files_that_are_missing_or_of_another_kind_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: no such file or directory"):
        import_engine_configuration(tmp_path / "missing.xml")
    with pytest.raises(InvalidValueError, match=r"can be read: \.xml, \.yaml, \.yml, \.properties"):
        imported(tmp_path, "a.json", "{}")
    with pytest.raises(InvalidValueError, match="is the configuration of one engine: leave its name out"):
        imported(tmp_path, "a.yaml", "", engine="default")


names = st.sampled_from(
    (
        "historyCleanupBatchSize",
        "historyCleanupBatchWindowStartTime",
        "historyCleanupBatchWindowEndTime",
        "sundayHistoryCleanupBatchWindowStartTime",
        "historyCleanupJobPriority",
        "historyCleanup\nOther",
        "historyTimeToLive",
        "taskMetricsTimeToLive",
        "databaseTablePrefix",
        "jdbcUrl",
        "jdbcUsername",
    )
)
texts = st.text(max_size=20) | st.integers().map(str) | st.from_regex(r"jdbc:mysql://\S{1,9}/\S{1,9}")


@given(st.dictionaries(names, texts | st.sampled_from(["20:00", "P5D", "${A:x}"])))
def test_whatever_is_imported_can_be_used(
    tmp_path_factory: pytest.TempPathFactory, properties: dict[str, str]
) -> None:
    import json

    document = {"camunda.bpm.generic-properties.properties": properties}
    imported(tmp_path_factory.getbasetemp(), "any.yaml", json.dumps(document))


@given(st.binary(max_size=80), st.sampled_from(["any.xml", "any.yaml", "any.properties"]))
def test_no_content_fails_in_any_other_way(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    try:
        imported(tmp_path_factory.getbasetemp(), name, content)
    except ConfigurationError as error:
        assert error.message
